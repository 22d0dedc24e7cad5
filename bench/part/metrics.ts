import type { Operations as Load } from '../contender/load.js'
import type { Operations as Web } from '../contender/web-celeriac.js'
import { startContender } from '../contender.js'
import { addInQueues } from '../fill.js'
import type { Finding } from '../finding.js'
import { names } from '../lanes.js'
import type { Part } from '../part.js'
import { show } from '../rounds.js'
import { prepareTables } from '../run-jobs.js'
import type { Servers } from '../servers.js'

const longestMs = 50
const sizes = {
  usual: { finished: 5_000_000, waiting: 100_000, queues: 100, scrapes: 200 },
  quick: { finished: 20_000, waiting: 1000, queues: 100, scrapes: 20 },
}

/** What a scrape of all metrics takes, however many jobs the store holds: of one task in each queue, and of five. */
export const metrics: Part = async (servers, { quick }) => {
  const findings: Finding[] = []
  for (const tasks of [1, 5]) findings.push(await scrapes(servers, quick ? sizes.quick : sizes.usual, tasks))
  return findings
}

async function scrapes(servers: Servers, size: typeof sizes.usual, tasks: number): Promise<Finding> {
  const { finished, waiting, queues, scrapes } = size
  const target = { databaseUrl: await servers.newDatabase(), redisUrl: servers.newRedis() }
  const web = await startContender<Web>('web-celeriac', target)
  const load = await startContender<Load>('load', {})
  try {
    await prepareTables(web)
    await addInQueues(target, { finished, waiting, queues, tasks })
    await web.ask('open')
    const url = `${await web.ask('serve')}/jobs/dashboard/metrics`
    const scrape = (count: number) =>
      load.ask(
        'getEach',
        Array.from({ length: count }, () => url),
      )
    await scrape(Math.ceil(scrapes / 4))
    const { p50, p99 } = await scrape(scrapes)
    return {
      part: 'metrics',
      name: `${names.onRedis}: scrape, ${show(finished)} finished and ${show(waiting)} waiting rows, ${queues} queues, ${tasks === 1 ? 'a task' : `${tasks} tasks`} in each`,
      figure: `p50 ${show(p50)} ms, p99 ${show(p99)} ms`,
      target: `p50 ≤ ${longestMs} ms`,
      met: p50 <= longestMs,
    }
  } finally {
    await Promise.all([web, load].map((contender) => contender.close()))
  }
}
