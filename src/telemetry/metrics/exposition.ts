import { type ClusterReading, toClusterLines } from './cluster.js'
import { clusterFamilies } from './family.js'

/** What Prometheus is answered. */
export interface Exposition {
  readonly contentType: string
  readonly body: string
}

/**
 * Metrics of the whole installation: the same from every process. Askers that come while an answer is on its way share
 * it, so that many cost the store no more than one.
 */
export function createClusterMetrics(read: () => Promise<ClusterReading>): () => Promise<Exposition> {
  let asked: Promise<Exposition> | undefined
  return () => {
    asked ??= expose().finally(() => {
      asked = undefined
    })
    return asked
  }

  async function expose(): Promise<Exposition> {
    const lines = toClusterLines(await read())
    const blocks = names.map((name) => [headOf(name), ...lines[name]].join('\n'))
    return { contentType, body: `${blocks.join('\n\n')}\n` }
  }
}

/** Of Prometheus' text format. */
const contentType = 'text/plain; version=0.0.4; charset=utf-8'

const names = Object.keys(clusterFamilies) as (keyof typeof clusterFamilies)[]

function headOf(name: keyof typeof clusterFamilies): string {
  const { help, type } = clusterFamilies[name]
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}`
}
