import { v7 as uuidv7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StoredError } from '../../src/job/job.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { ClaimedJob, NewJob, Store, StoredFilter, StoredPage } from '../../src/store/store.js'
import { jobRow } from '../support/job-row.js'
import { openStore } from '../support/store.js'
import { workerRow } from '../support/worker-row.js'

const kinds = [
  {
    name: 'memory',
    async open() {
      const store = createMemoryStore()
      return { store, close: () => store.close() }
    },
  },
  { name: 'PostgreSQL', open: openStore },
]

describe.each(kinds)('the store in $name', ({ open }) => {
  let store: Store
  let close: () => Promise<void>

  beforeEach(async () => {
    const opened = await open()
    store = opened.store
    close = opened.close
  })

  afterEach(() => close())

  async function insert(about: Partial<NewJob> = {}): Promise<string> {
    const job = jobRow(about)
    await store.insert([job])
    return job.id
  }

  async function run(about: Partial<NewJob> = {}, worker = ann): Promise<ClaimedJob> {
    const id = await insert(about)
    const job = await store.claim({ jobId: id, number: 1 }, worker)
    if (!job) throw new Error('It was not claimed.')
    return job
  }

  const keyOf = ({ id, number, attempt }: ClaimedJob) => ({ jobId: id, number, attempt, workerId: ann })

  async function succeed(about: Partial<NewJob> = {}, result = 'null'): Promise<string> {
    const job = await run(about)
    await store.settle({ ...keyOf(job), state: 'succeeded', result, resultError: null })
    return job.id
  }

  async function fail(
    about: Partial<NewJob> = {},
    error: StoredError = { name: 'TypeError', message: 'boom' },
  ): Promise<string> {
    const job = await run(about)
    await store.settle({ ...keyOf(job), state: 'failed', error })
    return job.id
  }

  async function idsOf(filter: StoredFilter, page: Partial<StoredPage> = {}): Promise<string[]> {
    const { jobs } = await store.searchJobs(filter, { limit: 100, sort: 'oldest', ...page })
    return jobs.map(({ id }) => id)
  }

  const stateOf = async (id: string) => (await store.find(id))?.state

  describe('searchJobs', () => {
    test('without a filter finds every job, by creation', async () => {
      const ids = [await insert(), await succeed(), await fail(), (await run()).id]

      expect(await idsOf({})).toEqual(ids)
      expect(await idsOf({}, { sort: 'newest' })).toEqual(ids.toReversed())
    })

    test('by state: open jobs by creation, ended ones by their end', async () => {
      const waiting = await insert({ queue: 'b' })
      const running = await run({ queue: 'a' })
      const failed = await fail({ queue: 'b' })
      const succeeded = await succeed({ queue: 'a' })
      const later = await insert({ delayMs: 60_000 })

      expect(await idsOf({ states: ['queued', 'running'] })).toEqual([waiting, running.id])
      expect(await idsOf({ states: ['scheduled'] })).toEqual([later])
      expect(await idsOf({ states: ['failed'] })).toEqual([failed])
      expect(await idsOf({ states: ['failed', 'succeeded'] }, { sort: 'newest' })).toEqual([
        succeeded,
        failed,
      ])
      expect(await idsOf({ states: ['failed', 'queued'] })).toEqual([waiting, failed])
    })

    test('by task, queue, owner, tag and parent', async () => {
      const mail = await insert({ task: 'mail.send', queue: 'mail', owner: 'ann', tags: ['a', 'b'] })
      const child = await insert({ parentId: mail })

      expect(await idsOf({ tasks: ['mail.send', 'other'] })).toEqual([mail])
      expect(await idsOf({ tasks: ['mail.send'], states: ['succeeded'] })).toEqual([])
      expect(await idsOf({ queues: ['mail', 'other'] })).toEqual([mail])
      expect(await idsOf({ queues: ['mail', 'default'], states: ['queued'] })).toEqual([mail, child])
      expect(await idsOf({ owners: ['ann'] })).toEqual([mail])
      expect(await idsOf({ owners: null })).toEqual([child])
      expect(await idsOf({ tags: ['b', 'c'] })).toEqual([mail])
      expect(await idsOf({ parentId: mail })).toEqual([child])
    })

    test('by ids, of which unknown ones are none', async () => {
      const [one, two] = [await insert(), await insert()]
      await insert()

      expect(await idsOf({ ids: [two, uuidv7(), one] })).toEqual([one, two])
      expect(await idsOf({ ids: [two, one], states: ['failed'] })).toEqual([])
    })

    test('by the name or the id of a worker', async () => {
      const ids = { ann: uuidv7(), bob: uuidv7() }
      for (const [name, id] of Object.entries(ids)) await store.registerWorker(workerRow({ name, id }))
      const one = await run({}, ids.ann)
      await run({}, ids.bob)

      expect(await idsOf({ workers: ['ann'] })).toEqual([one.id])
      expect(await idsOf({ workers: [ids.ann, 'eve'] })).toEqual([one.id])
    })

    test('by times and duration', async () => {
      const ended = await succeed()
      const waiting = await insert()
      const hour = 3_600_000
      const [before, after] = [new Date(Date.now() - hour), new Date(Date.now() + hour)]

      expect(await idsOf({ created: { from: before, before: after } })).toEqual([ended, waiting])
      expect(await idsOf({ created: { before } })).toEqual([])
      expect(await idsOf({ created: { from: after } })).toEqual([])
      expect(await idsOf({ started: { from: before } })).toEqual([ended])
      expect(await idsOf({ finished: { from: before, before: after } })).toEqual([ended])
      expect(await idsOf({ finished: { before } })).toEqual([])
      expect(await idsOf({ finished: { from: before }, states: ['queued'] })).toEqual([])
      expect(await idsOf({ minDurationMs: 0 })).toEqual([ended])
      expect(await idsOf({ minDurationMs: hour })).toEqual([])
      expect(await idsOf({ maxDurationMs: hour })).toEqual([ended])
      expect(await idsOf({ minAttempts: 1 })).toEqual([ended])
    })

    test('by what stands in payload, result and error, in any case of letters', async () => {
      const one = await succeed({ payload: '{"to":"Ann \\"A\\" 100%"}' }, '"sent_it"')
      const two = await fail({}, { name: 'RangeError', message: 'Too far\nout' })

      expect(await idsOf({ text: 'ann "a"' })).toEqual([one])
      expect(await idsOf({ text: '100%' })).toEqual([one])
      expect(await idsOf({ text: '{"TO":"ann' })).toEqual([one])
      expect(await idsOf({ text: '10%' })).toEqual([])
      expect(await idsOf({ text: 'SENT_' })).toEqual([one])
      expect(await idsOf({ text: 'far\nout' })).toEqual([two])
      expect(await idsOf({ error: 'too FAR' })).toEqual([two])
      expect(await idsOf({ error: 'ann' })).toEqual([])
      expect(await idsOf({ errorName: 'RangeError' })).toEqual([two])
      expect(await idsOf({ errorName: 'Range' })).toEqual([])
    })

    test('by the end of an id, also where something is hidden', async () => {
      const one = await insert({ options: '{"redact":["payload.card"]}' })
      const two = await insert({ payload: `{"of":"${one.slice(-8)}"}` })
      await insert()

      expect(await idsOf({ text: one.slice(-8) })).toEqual([one, two])
      expect(await idsOf({ text: two.slice(-8).toUpperCase() })).toEqual([two])
      expect(await idsOf({ text: two.slice(-7) })).toEqual([])
      expect(await idsOf({ query: { kind: 'text', in: 'any', text: one.slice(-8) } })).toEqual([one, two])
      expect(await idsOf({ query: { kind: 'text', in: 'payload', text: one.slice(-8) } })).toEqual([two])
    })

    test('gives no more than what went wrong, where that is asked for', async () => {
      const cut = `\u0001\\"${'x'.repeat(10_000)}`
      const stack = 's'.repeat(20_000)
      const one = await fail({}, { name: 'A "B"\u{1f600}', message: 'no\n"row"\\', code: 'X', stack })
      const two = await fail({}, { name: 'Long', message: cut, stack })
      const three = await succeed()

      const found = await store.searchErrors(
        { finished: { from: new Date(0) } },
        { limit: 2, sort: 'newest' },
      )
      const { errors } = await store.searchErrors({ ids: [one, three] }, { limit: 9, sort: 'oldest' })

      expect(found.errors.map(({ id }) => id)).toEqual([three, two])
      expect(found).toMatchObject({ cursor: expect.any(String), isCut: false })
      expect(found.errors[1]).toEqual({
        ...{ id: two, startedAt: expect.any(Date), finishedAt: expect.any(Date) },
        error: { name: 'Long', message: expect.any(String) },
      })
      const { message = '' } = found.errors[1]?.error ?? {}
      expect(cut.startsWith(message) && message.length > 4000 && message.length < 4096).toBe(true)
      const times = { startedAt: expect.any(Date), finishedAt: expect.any(Date) }
      expect(errors).toEqual([
        { id: one, ...times, error: { name: 'A "B"\u{1f600}', message: 'no\n"row"\\' } },
        { id: three, ...times, error: null },
      ])
    })

    test('does not look into a payload that hides something', async () => {
      const open = await insert({ payload: '{"card":"4711"}' })
      await insert({ payload: '{"card":"4711"}', options: '{"redact":["payload.card"]}' })

      expect(await idsOf({ text: '4711' })).toEqual([open])
      expect(await store.countMatching({ text: '4711' }, 10)).toEqual({ count: 1, isMore: false })
    })

    test.each(['newest', 'oldest'] as const)(
      'page after page, %s first, gives every job once',
      async (sort) => {
        const ended: string[] = []
        for (let n = 0; n < 7; n += 1) ended.push(await fail({ queue: `q${n % 3}` }))
        const open: string[] = []
        for (let n = 0; n < 7; n += 1) open.push(await insert({ queue: `q${n % 3}` }))
        const ordered = (ids: string[]) => (sort === 'oldest' ? ids : ids.toReversed())

        expect(await allPages({ states: ['failed'] }, sort)).toEqual(ordered(ended))
        expect(await allPages({ states: ['queued'] }, sort)).toEqual(ordered(open))
        expect(await allPages({ queues: ['q0', 'q1', 'q2'], states: ['queued'] }, sort)).toEqual(
          ordered(open),
        )
        expect(await allPages({ finished: { from: new Date(0) } }, sort)).toEqual(ordered(ended))
        expect(await allPages({ states: ['failed', 'succeeded'], tasks: ['test.task'] }, sort)).toEqual(
          ordered(ended),
        )
        expect(await allPages({}, sort)).toEqual(ordered([...ended, ...open]))
        for (const states of [['failed'], ['queued'], ['failed', 'queued']] as const)
          expect((await allPages({ states }, sort, true)).sort()).toEqual(
            [...(states[0] === 'failed' ? ended : []), ...(states.at(-1) === 'queued' ? open : [])].sort(),
          )
        expect(
          await allPages({ states: ['queued'], notAt: { queue: 'q1', priority: 0 } }, sort, true),
        ).toHaveLength(5)
      },
    )

    async function allPages(
      filter: StoredFilter,
      sort: StoredPage['sort'],
      inAnyOrder = false,
      limit = 2,
    ): Promise<string[]> {
      const ids: string[] = []
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const found = await store.searchIds(filter, {
          limit,
          sort,
          inAnyOrder,
          ...(cursor ? { cursor } : {}),
        })
        ids.push(...found.ids)
        cursor = found.cursor
      }
      return ids
    }

    test.each(['newest', 'oldest'] as const)(
      'page after page, %s first, also where one queue has most of them',
      async (sort) => {
        const jobs = Array.from({ length: 200 }, (_, n) =>
          jobRow({ queue: n % 20 === 0 ? `q${n % 3}` : 'most', task: n < 100 ? 'old' : 'new' }),
        )
        await store.insert(jobs)
        const ids = jobs.map(({ id }) => id)
        const ordered = (list: string[]) => (sort === 'oldest' ? list : list.toReversed())

        expect(await allPages({ states: ['queued'] }, sort, false, 60)).toEqual(ordered(ids))
        expect(await allPages({ states: ['queued'], tasks: ['old'] }, sort, false, 60)).toEqual(
          ordered(ids.slice(0, 100)),
        )
        expect(await store.countMatching({ states: ['queued'], queues: ['most', 'q0'] }, 1000)).toEqual({
          count: jobs.filter(({ queue }) => queue === 'most' || queue === 'q0').length,
          isMore: false,
        })
        // They end in one moment.
        await store.act(ids, { action: 'cancel', by: null, reason: null })
        expect(await allPages({ states: ['cancelled'] }, sort, false, 60)).toEqual(ordered(ids))
      },
    )

    test('a cursor that is none, or of another search, is refused', async () => {
      for (let n = 0; n < 3; n += 1) await insert()
      const { cursor } = await store.searchIds({}, { limit: 1, sort: 'newest' })
      const search = (filter: StoredFilter, page: Partial<StoredPage>) =>
        store.searchIds(filter, { limit: 1, sort: 'newest', ...page })

      await expect(search({}, { cursor: 'abc' })).rejects.toThrow('"abc" is no cursor')
      await expect(search({}, { cursor: cursor ?? '', sort: 'oldest' })).rejects.toThrow('another search')
      await expect(search({ states: ['failed'] }, { cursor: cursor ?? '' })).rejects.toThrow('another search')
    })

    test('counts end where they are told to', async () => {
      for (let n = 0; n < 5; n += 1) await insert()

      expect(await store.countMatching({ states: ['queued'] }, 5)).toEqual({ count: 5, isMore: false })
      expect(await store.countMatching({}, 4)).toEqual({ count: 4, isMore: true })
      expect(await store.countMatching({ states: ['failed'] }, 4)).toEqual({ count: 0, isMore: false })
    })
  })

  describe('for many jobs at once', () => {
    test('cancel ends what waits, asks what runs, and leaves what has ended', async () => {
      const [waiting, running, ended, none] = [await insert(), await run(), await succeed(), uuidv7()]

      const { outcomes } = await store.act([waiting, running.id, ended, none], {
        action: 'cancel',
        by: 'ann',
        reason: 'too late',
      })

      expect(byId(outcomes)).toEqual({
        [waiting]: 'cancelled',
        [running.id]: 'cancelling',
        [ended]: 'finished',
        [none]: 'unknown',
      })
      expect(await store.find(waiting)).toMatchObject({
        state: 'cancelled',
        cancelledBy: 'ann',
        cancelReason: 'too late',
      })
      expect(await store.cancelRequestedAmong([running.id])).toEqual([running.id])
      expect(await stateOf(ended)).toBe('succeeded')
    })

    test('retry begins anew what has ended without success', async () => {
      const [failed, succeeded, none] = [
        await fail({ queue: 'mail', priority: 3 }),
        await succeed(),
        uuidv7(),
      ]

      const { outcomes, redeliveries } = await store.act([failed, succeeded, none], { action: 'retry' })

      expect(byId(outcomes)).toEqual({ [failed]: 'retried', [succeeded]: 'unfit', [none]: 'unknown' })
      expect(redeliveries).toMatchObject([
        { jobId: failed, number: 2, queue: 'mail', priority: 3, dueInMs: 0 },
      ])
      expect(await store.find(failed)).toMatchObject({
        state: 'queued',
        error: null,
        attempts: [{ number: 1 }],
      })
    })

    test('promote makes due what waits for its time', async () => {
      const [later, due] = [await insert({ delayMs: 60_000 }), await insert()]

      const { outcomes, redeliveries } = await store.act([later, due], { action: 'promote' })

      expect(byId(outcomes)).toEqual({ [later]: 'promoted', [due]: 'unfit' })
      expect(redeliveries).toMatchObject([{ jobId: later, number: 2, dueInMs: 0 }])
    })

    test('delete takes what does not run, with its log', async () => {
      const [waiting, ended, running] = [await insert(), await succeed(), await run()]

      const { outcomes } = await store.act([waiting, ended, running.id, uuidv7()], { action: 'delete' })

      expect(byId(outcomes)).toMatchObject({
        [waiting]: 'deleted',
        [ended]: 'deleted',
        [running.id]: 'unfit',
      })
      expect(await store.find(waiting)).toBeUndefined()
      expect(await stateOf(running.id)).toBe('running')
      expect(await store.claim({ jobId: waiting, number: 1 }, ann)).toBeUndefined()
    })

    test('delete leaves what is no longer in a state that was meant', async () => {
      const [waiting, ended] = [await insert(), await succeed()]

      const { outcomes } = await store.act([waiting, ended], {
        action: 'delete',
        states: ['queued', 'scheduled'],
      })

      expect(byId(outcomes)).toEqual({ [waiting]: 'deleted', [ended]: 'unfit' })
      expect(await stateOf(ended)).toBe('succeeded')
    })

    test('move gives what waits another queue or priority, under a new delivery', async () => {
      const [due, later, running] = [
        await insert(),
        await insert({ delayMs: 60_000, priority: 2 }),
        await run(),
      ]

      const { outcomes, redeliveries } = await store.act([due, later, running.id], {
        action: 'move',
        to: { queue: 'slow' },
      })

      expect(byId(outcomes)).toEqual({ [due]: 'moved', [later]: 'moved', [running.id]: 'unfit' })
      const sent = Object.fromEntries(redeliveries.map(({ jobId, ...each }) => [jobId, each]))
      expect(sent[due]).toMatchObject({ number: 2, queue: 'slow', priority: 0, dueInMs: 0 })
      expect(sent[later]).toMatchObject({ number: 2, queue: 'slow', priority: 2 })
      expect(sent[later]?.dueInMs).toBeGreaterThan(50_000)
      expect(await store.claim({ jobId: due, number: 1 }, ann)).toBeUndefined()
      expect(await store.find(later)).toMatchObject({ state: 'scheduled', queue: 'slow' })
      expect(await store.act([due], { action: 'move', to: { priority: 7 } })).toMatchObject({
        redeliveries: [{ number: 3, queue: 'slow', priority: 7 }],
      })
    })

    test('a job with limits takes its turn along when it is moved', async () => {
      const id = await insert({ limitKey: '' })

      const { redeliveries } = await store.act([id], { action: 'move', to: { queue: 'slow' } })

      expect(redeliveries).toMatchObject([{ jobId: id, isLimited: true }])
      const applicant = (queue: string) => ({
        workerId: ann,
        queues: [queue],
        places: 1,
        limitsOf: (task: string) => ({ names: [task] as const, limits: { task: {}, key: {} } }),
        limitOf: () => undefined,
      })
      expect((await store.admit(applicant('default'))).jobs).toEqual([])
      expect(await store.admit(applicant('slow'))).toMatchObject({ jobs: [{ id, number: 2 }] })
    })
  })
})

const ann = uuidv7()

function byId(outcomes: readonly { readonly id: string; readonly outcome: string }[]) {
  return Object.fromEntries(outcomes.map(({ id, outcome }) => [id, outcome]))
}
