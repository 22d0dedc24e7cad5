import { configDifferences, configHash } from '../config/agreement.js'
import type { KnownWorker } from '../store/store.js'
import { type Check, fault, ok } from './check.js'

interface Difference {
  readonly worker: KnownWorker
  readonly options: readonly string[]
}

function differences(facts: Parameters<Check['judge']>[0]): Difference[] | undefined {
  const { config, cluster } = facts
  if (!cluster || cluster.workers.length === 0 || typeof config === 'string') return undefined
  const own = configHash(config)
  return cluster.workers
    .map((worker) => ({ worker, options: configDifferences(own, worker.configHash) }))
    .filter(({ options }) => options.length > 0)
}

export const prefixCheck: Check = {
  id: 'prefix',
  title: 'prefix of all processes',
  judge(facts) {
    const found = differences(facts)
    if (!found || typeof facts.config === 'string') return undefined
    const other = found.find(({ options }) => options.includes('prefix'))
    if (!other) return ok(facts.config.prefix)
    return fault(
      `Worker ${other.worker.name} has another "prefix" than "${facts.config.prefix}": what is enqueued here is delivered where it does not look.`,
      'Let all processes read one celeriac.config.',
    )
  },
}

export const agreementCheck: Check = {
  id: 'agreement',
  title: 'configuration of all processes',
  judge(facts) {
    const found = differences(facts)
    if (!found) return undefined
    const [first] = found
      .map(({ worker, options }) => ({ worker, options: options.filter((name) => name !== 'prefix') }))
      .filter(({ options }) => options.length > 0)
    if (!first) return ok('they agree')
    return fault(
      `Worker ${first.worker.name} runs with another ${first.options.join(', ')} than is configured here.`,
      'Let all processes read one celeriac.config, and restart those that began before it was changed.',
    )
  },
}
