import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 600_000 })

const fleet = 10
/** What the web process knows of the task; `test/fixtures/fleet` runs it. */
const work = { step: defineTask((_: number) => {}) }

describe.each(brokers)('a rolling deploy of ten workers under load, on %s (R4)', (kind) => {
  test('loses nothing, and runs nothing twice but what it had to abort', async () => {
    const servers = await freshServers(kind)
    const web = await openJobs({ ...servers, tasks: { work } })
    const database = new pg.Client({ connectionString: servers.database })
    await database.connect()
    onTestFinished(() => database.end())
    await database.query('CREATE TABLE effect (event text, job uuid, attempt int, pid int)')
    const start = () =>
      startWorkerProcess({
        ...servers,
        app: 'test/fixtures/fleet',
        args: ['-c', '2', '--grace', '1s'],
      })
    let workers: WorkerProcess[] = []
    while (workers.length < fleet) workers = [...workers, ...(await Promise.all([start(), start()]))]

    const load = steadyLoad(web)
    onTestFinished(() => void load.stop().catch(() => {}))
    for (const old of [...workers]) {
      workers.push(await start())
      old.signal('SIGTERM')
    }
    expect(await Promise.all(workers.slice(0, fleet).map((old) => old.ended))).toEqual(Array(fleet).fill(0))
    const accepted = await load.stop()
    await until(
      async () => (await count('SELECT count(*) FROM celeriac.job WHERE finished_at IS NULL')) === 0,
      { timeoutMs: 240_000, everyMs: 500 },
    )

    expect(await count(`SELECT count(*) FROM celeriac.job WHERE state = 'succeeded'`)).toBe(accepted)
    expect(await count(`SELECT count(*) FROM effect WHERE event = 'end'`)).toBe(accepted)
    const { rows: perJob } = await database.query<PerJob>(
      `SELECT j.id AS job, count(*) FILTER (WHERE event = 'start')::int AS starts,
         count(*) FILTER (WHERE event = 'aborted')::int AS aborted,
         count(*) FILTER (WHERE event = 'end')::int AS ends,
         json_array_length(j.attempts::json) AS past, j.attempt, j.lost
       FROM celeriac.job j LEFT JOIN effect e ON e.job = j.id GROUP BY j.id`,
    )
    const wrong = perJob.filter(
      ({ starts, aborted, ends, past, attempt, lost }) =>
        ends !== 1 || lost !== 0 || past !== aborted || starts !== 1 + aborted || attempt !== starts,
    )
    expect(wrong).toEqual([])
    // The grace is shorter than the long jobs, so some had to be aborted.
    const aborted = await count(`SELECT count(*) FROM effect WHERE event = 'aborted'`)
    expect(aborted).toBeGreaterThan(0)
    console.log(`${kind}: ${accepted} jobs, ${aborted} attempts aborted and run again, none lost`)

    async function count(sql: string): Promise<number> {
      const { rows } = await database.query<{ count: string }>(sql)
      return Number(rows[0]?.count)
    }
  })
})

interface PerJob {
  readonly job: string
  readonly starts: number
  readonly aborted: number
  readonly ends: number
  readonly past: number
  readonly attempt: number
  readonly lost: number
}

/** Twenty jobs a second of 50 to 200 ms, and every twelfth of 3 s. */
function steadyLoad(web: Celeriac): { stop(): Promise<number> } {
  let accepted = 0
  let stopped = false
  const done = (async () => {
    while (!stopped) {
      const batch = Array.from({ length: 2 }, (_, at) => lengthOf(accepted + at))
      await web.enqueueMany(work.step, batch)
      accepted += batch.length
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })()
  // A test that fails meanwhile closes the web process.
  done.catch(() => {})
  return {
    async stop() {
      stopped = true
      await done
      return accepted
    },
  }
}

function lengthOf(at: number): number {
  return at % 12 === 0 ? 3000 : 50 + ((at * 37) % 151)
}
