import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkHistory, type Limits } from './checker/check.js'
import type { ClientEvent, Effect, Fault, JobState, Wish } from './checker/history.js'
import { readEffects, readEvents, readJobs, readWorkers } from './checker/read.js'
import type { Verdict } from './checker/verdict.js'
import { type Answer, ask } from './client.js'
import { type Journal, openJournal } from './journal.js'
import type { Random } from './random.js'
import { type Ground, query } from './servers.js'
import { openSite, type Seat, type Site, type SiteOptions } from './site.js'
import { startWorkload, type Workload, type WorkloadOptions } from './workload.js'

/** One app under test, and one client that asks and looks. What it asks and sees is in the history, for the checker. */
export interface Scene extends Site {
  readonly faults: Journal<Fault>
  /** Asks for a job, once. */
  post(task: string, payload?: object, how?: PostOptions): Promise<Answer>
  /** Asks until it is accepted. Gives the id. */
  enqueue(task: string, payload?: object, how?: PostOptions): Promise<string>
  /** Asks for so many at once. */
  enqueueMany(count: number, task: string, payload?: object): Promise<string[]>
  /** Tells the checker nothing of this job, whose row somebody else takes away. */
  forget(id: string): void
  status(id: string): Promise<Status | undefined>
  effects(id: string): Promise<Effect[]>
  /** Resolves when the task has begun so often. */
  started(id: string, times?: number): Promise<Effect>
  /** Resolves when so many workers hold a lease. Default: one in each seat. */
  workersLive(count?: number): Promise<void>
  /** Resolves when all have ended. */
  ended(ids: readonly string[], withinMs?: number): Promise<void>
  load(options: Partial<WorkloadOptions> & { readonly jobs: number }): Workload
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
  /** Ends the app and judges what it did. */
  verdict(limits?: Partial<Limits>): Promise<Verdict>
}

export interface PostOptions {
  readonly key?: string
  readonly delay?: number | string
  readonly to?: Seat
  readonly wish?: Wish
  readonly timeoutMs?: number
}

/** As the endpoint answers it. */
export interface Status {
  readonly id: string
  readonly state: JobState
  readonly attempt: number
  readonly result?: unknown
  readonly resultError?: string
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string }
  readonly attempts: readonly { readonly number: number; readonly outcome: string }[]
}

export interface SceneOptions
  extends Partial<Omit<SiteOptions, 'ground' | 'code' | 'logs' | 'faults' | 'random'>> {
  readonly ground: Ground
  readonly code: string
  readonly folder: string
  readonly random: Random
}

export async function openScene(options: SceneOptions): Promise<Scene> {
  const { folder, ground, random } = options
  mkdirSync(folder, { recursive: true })
  const [clientFile, faultFile] = [join(folder, 'clients.jsonl'), join(folder, 'faults.jsonl')]
  const faults = openJournal<Fault>(faultFile)
  const clients = openJournal<ClientEvent>(clientFile)
  const site = await openSite({
    webs: 1,
    workers: 1,
    concurrency: 10,
    ...options,
    random: random.next,
    faults,
    logs: join(folder, 'logs'),
  })
  let keys = 0
  const forgotten = new Set<string>()
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= site.close().finally(() => {
      faults.close()
      clients.close()
    })
    return closed
  }
  await Promise.all(site.webs.map(answering))

  const scene: Scene = {
    ...site,
    faults,
    async post(task, payload = {}, how = {}) {
      keys += 1
      const key = how.key ?? `k${keys}`
      const base = (how.to ?? site.webs[keys % site.webs.length])?.url
      clients.write({ at: Date.now(), kind: 'asked', key, task: `work.${task}`, ...how.wish })
      const answer = await ask(`${base}/accept/${task}`, {
        method: 'POST',
        headers: {
          'idempotency-key': key,
          ...(how.delay === undefined ? {} : { 'x-delay': String(how.delay) }),
        },
        body: { key, ...payload },
        ...(how.timeoutMs === undefined ? {} : { timeoutMs: how.timeoutMs }),
      })
      clients.write(toEvent(key, answer))
      return answer
    },
    async enqueue(task, payload, how = {}) {
      keys += 1
      const key = how.key ?? `k${keys}`
      for (let tries = 0; tries < 300; tries += 1) {
        const { status, body } = await scene.post(task, payload, { ...how, key })
        if (status === 202) return (body as Status).id
        if (status !== undefined && status < 500) throw new Error(`POST ${task} was answered ${status}.`)
        await pause(100)
      }
      throw new Error(`POST ${task} was not accepted.`)
    },
    enqueueMany: (count, task, payload) =>
      Promise.all(Array.from({ length: count }, () => scene.enqueue(task, payload))),
    forget: (id) => void forgotten.add(id),
    async status(id) {
      const { status, body } = await ask(`${site.webs[0]?.url}/jobs/${id}`)
      if (status !== 200) return undefined
      const seen = body as Status
      clients.write({ at: Date.now(), kind: 'seen', id, state: seen.state })
      return seen
    },
    effects: async (id) => (await readEffects(ground.witnessUrl)).filter((effect) => effect.id === id),
    async started(id, times = 1) {
      for (let tries = 0; tries < 1200; tries += 1) {
        const starts = (await scene.effects(id)).filter(({ kind }) => kind === 'start')
        const last = starts[times - 1]
        if (last) return last
        await pause(50)
      }
      throw new Error(`The task of job ${id} did not begin ${times} times.`)
    },
    async workersLive(count = site.workers.length) {
      for (let tries = 0; tries < 600; tries += 1) {
        const live = await scene
          .sql<{ pid: number }>(
            'SELECT pid FROM celeriac.worker WHERE stopped_at IS NULL AND lost_at IS NULL',
          )
          .catch(() => [])
        const seated = site.workers.filter(({ process }) => live.some(({ pid }) => pid === process.pid))
        if (seated.length >= count) return
        await pause(100)
      }
      throw new Error(`There were not ${count} workers.`)
    },
    async ended(ids, withinMs = 60_000) {
      const deadline = Date.now() + withinMs
      for (;;) {
        const open = await scene
          .sql<{ id: string; state: string }>(
            'SELECT id, state FROM celeriac.job WHERE id = ANY($1::uuid[]) AND finished_at IS NULL',
            [ids],
          )
          .catch(() => undefined)
        if (open?.length === 0) return
        if (Date.now() > deadline)
          throw new Error(
            `${open?.length} of ${ids.length} jobs did not end in ${withinMs} ms, such as ${open?.[0]?.id} (${open?.[0]?.state}).`,
          )
        await pause(100)
      }
    },
    load: (more) =>
      startWorkload({
        random,
        journal: clients,
        urls: site.webs.map(({ url }) => url),
        name: 'load',
        ...more,
      }),
    sql: (text, values) => query(ground.databaseUrl, text, values),
    close,
    async verdict(limits) {
      await close()
      const history = {
        client: withoutJobs([...readEvents<ClientEvent>(clientFile)], forgotten),
        effects: (await readEffects(ground.witnessUrl)).filter(({ id }) => !forgotten.has(id)),
        faults: [...readEvents<Fault>(faultFile)].sort((a, b) => a.at - b.at),
        jobs: await readJobs(ground.databaseUrl),
        workers: await readWorkers(ground.databaseUrl),
      }
      return checkHistory(history, limits)
    },
  }
  return scene
}

function withoutJobs(events: readonly ClientEvent[], forgotten: ReadonlySet<string>): ClientEvent[] {
  const keys = new Set<string>()
  for (const event of events) if (event.kind === 'accepted' && forgotten.has(event.id)) keys.add(event.key)
  return events.filter(
    (event) => !('key' in event && keys.has(event.key)) && !('id' in event && forgotten.has(event.id)),
  )
}

function toEvent(key: string, { status, body, tookMs }: Answer): ClientEvent {
  const told = { at: Date.now(), key, tookMs: Math.round(tookMs) }
  const id = (body as { id?: string } | undefined)?.id
  if (status === 202 && id !== undefined) return { ...told, kind: 'accepted', id }
  if (status !== undefined && status >= 400 && status < 500) return { ...told, kind: 'refused', status }
  return { ...told, kind: 'unsure', ...(status === undefined ? {} : { status }) }
}

/** Resolves when it serves and knows its store. */
export async function answering({ url, name }: Seat): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if ((await ask(`${url}/jobs/00000000-0000-7000-8000-000000000000`)).status === 404) return
    await pause(100)
  }
  throw new Error(`${name} does not answer.`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
