import type { Operations as Load } from '../contender/load.js'
import type { Operations as Web } from '../contender/web-celeriac.js'
import { startContender } from '../contender.js'
import { addInQueues } from '../fill.js'
import type { Finding } from '../finding.js'
import { names } from '../lanes.js'
import type { Part } from '../part.js'
import { show } from '../rounds.js'
import { prepareTables } from '../run-jobs.js'

const longestMs = 50
const sizes = {
  usual: { finished: 5_000_000, waiting: 100_000, queues: 100, scrapes: 200 },
  quick: { finished: 20_000, waiting: 1000, queues: 100, scrapes: 20 },
}

/** What a scrape of all metrics takes, however many jobs the store holds: 500 pairs of task and queue. */
export const metrics: Part = async (servers, { quick }) => {
  const { finished, waiting, queues, scrapes } = quick ? sizes.quick : sizes.usual
  const target = { databaseUrl: await servers.newDatabase(), redisUrl: servers.newRedis() }
  const web = await startContender<Web>('web-celeriac', target)
  const load = await startContender<Load>('load', {})
  try {
    await prepareTables(web)
    await addInQueues(target, { finished, waiting, queues })
    await web.ask('open')
    const url = `${await web.ask('serve')}/jobs/dashboard/metrics`
    const scrape = (count: number) =>
      load.ask(
        'getEach',
        Array.from({ length: count }, () => url),
      )
    await scrape(Math.ceil(scrapes / 10))
    const { p50, p99 } = await scrape(scrapes)
    const finding: Finding = {
      part: 'metrics',
      name: `${names.onRedis}: scrape, ${show(finished)} finished and ${show(waiting)} waiting rows, ${queues} queues`,
      figure: `p50 ${show(p50)} ms, p99 ${show(p99)} ms`,
      target: `p50 ≤ ${longestMs} ms`,
      met: p50 <= longestMs,
    }
    return [finding]
  } finally {
    await Promise.all([web, load].map((contender) => contender.close()))
  }
}
