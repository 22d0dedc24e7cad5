import { until } from '../test/support/until.js'
import type { Runner } from './contender/runner.js'
import type { Web } from './contender/web.js'
import type { Contender } from './contender.js'

const patienceMs = 300_000
const lookEveryMs = 25

/** Lets a worker run at least so many jobs, and stops it. */
export async function runJobs(
  worker: Contender<Runner>,
  count: number,
  concurrency: number,
  onProgress: (ran: number) => void | Promise<void> = () => {},
): Promise<void> {
  await worker.ask('work', concurrency)
  await until(
    async () => {
      const { ran } = await worker.ask('progress')
      await onProgress(ran)
      return ran >= count
    },
    { timeoutMs: patienceMs, everyMs: lookEveryMs },
  )
  await worker.ask('stop')
}

/** Makes the tables, by letting a web process come and go. */
export async function prepareTables(web: Contender<Web>): Promise<void> {
  await web.ask('open')
  await web.ask('close')
}
