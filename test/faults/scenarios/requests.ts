import { isEnd } from '../checker/history.js'
import { ask } from '../client.js'
import { must, type Scenario, sleep } from '../scenario.js'

export const delays: Scenario = {
  faults: ['F41'],
  title: 'an odd delay is refused, and a long one does not fire at once',
  async run({ open }) {
    const scene = await open()
    const longest = [30 * 86_400_000, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1]
    const later = await Promise.all(
      longest.map((delay) => scene.enqueue('quick', {}, { delay, wish: { later: true } })),
    )
    for (const delay of [-1, 'NaN', '1e400', 2 ** 53]) {
      const { status } = await scene.post('quick', {}, { delay })
      must(status === 400, `a delay of ${delay} was answered ${status}`)
    }
    const now = await scene.enqueue('quick', {}, { delay: 0 })
    await scene.ended([now])
    await sleep(3000)
    for (const id of later) {
      must((await scene.status(id))?.state === 'scheduled', 'a long delay was not waited for')
      must((await scene.effects(id)).length === 0, 'a long delay fired')
    }
    const rows = await scene.sql<{ id: string; delay: number }>(
      'SELECT id, (extract(epoch FROM run_at - created_at) * 1000)::float8 AS delay FROM celeriac.job',
    )
    for (const [at, delay] of longest.entries()) {
      const row = rows.find(({ id }) => id === later[at])
      must(row && Math.abs(row.delay - delay) <= 1, `a delay of ${delay} was kept as ${row?.delay}`)
    }
  },
}

export const sameKey: Scenario = {
  faults: ['F49'],
  title: 'a hundred requests with one key, to two processes at once, make one job and are answered alike',
  async run({ open }) {
    const scene = await open({ webs: 2 })
    for (let round = 0; round < 5; round += 1) {
      const key = `same-${round}`
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, at) => {
          const to = scene.webs[at % 2]
          return scene.post('quick', {}, { key, ...(to ? { to } : {}) })
        }),
      )
      const ids = new Set(
        answers.map(({ status, body }) => (status === 202 ? (body as { id: string }).id : status)),
      )
      must(ids.size === 1, `they were answered ${[...ids].join(', ')}`)
      const [id] = ids
      await scene.ended([String(id)])
      const other = await ask(`${scene.webs[1]?.url}/accept/quick`, {
        method: 'POST',
        headers: { 'idempotency-key': key },
        body: { key: `${key}-other` },
      })
      must(other.status === 422 || other.status === 409, `another payload was answered ${other.status}`)
    }
    const rows = await scene.sql<{ n: number }>('SELECT count(*)::int AS n FROM celeriac.job')
    must(rows[0]?.n === 5, `there are ${rows[0]?.n} jobs`)
  },
}

/** Each job is cancelled, and asked to begin anew, at a moment of its own, around its start and its end. */
export const cancelRaces: Scenario = {
  faults: ['F50'],
  title: 'a cancel that meets a start, an end or a retry has one answer, and the job one end',
  async run({ open, random }) {
    const scene = await open({ webs: 2, workers: 2, concurrency: 20 })
    const races = Array.from({ length: 300 }, (_, at) => ({ at, waitMs: random.between(0, 120) }))
    const run = async ({ at, waitMs }: (typeof races)[number]) => {
      const task = at % 3 === 0 ? 'flaky' : at % 3 === 1 ? 'brief' : 'quick'
      const id = await scene.enqueue(task, task === 'flaky' ? { failures: 1 } : {})
      await sleep(waitMs)
      const base = scene.webs[at % 2]?.url
      const { status, body } = await ask(`${base}/jobs/${id}`, { method: 'DELETE' })
      // No answer says nothing: the machine may have had much to do.
      if (status === undefined) return id
      must(status === 202 || status === 409, `a cancel was answered ${status}`)
      const state = (body as { state: string }).state
      if (status === 409) must(isEnd(state), `a cancel was refused because the job is ${state}`)
      const after = await scene.status(id)
      if (status === 202 && state === 'cancelled')
        must(after?.state === 'cancelled', `it was cancelled, and is ${after?.state}`)
      return id
    }
    for (let from = 0; from < races.length; from += 30) {
      const ids = await Promise.all(races.slice(from, from + 30).map(run))
      await scene.ended(ids)
      for (const id of ids.slice(0, 10)) await scene.status(id)
    }
  },
}
