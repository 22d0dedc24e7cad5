import { v7 as uuidv7 } from 'uuid'
import { beforeAll, describe, expect, test } from 'vitest'
import { createExport, type ExportOptions, type ExportProgress } from '../../src/control/export.js'
import { exportColumns } from '../../src/control/export-columns.js'
import { createValues, plainValues } from '../../src/job/codec.js'
import type { JobFilter } from '../../src/job/filter.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Store } from '../../src/store/store.js'
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

describe.each(kinds)('an export from the store in $name', ({ open }) => {
  let store: Store
  const worker = uuidv7()

  beforeAll(async () => {
    const opened = await open()
    store = opened.store
    await store.registerWorker(workerRow({ name: 'mail@one', id: worker }))
    return opened.close
  })

  async function exported(filter: JobFilter, options: ExportOptions = {}): Promise<string> {
    let text = ''
    for await (const piece of createExport({ store: async () => store, values: plainValues })(
      filter,
      options,
    ))
      text += piece
    return text
  }

  const documents = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))

  async function end(id: string, result: string | undefined): Promise<void> {
    const job = await store.claim({ jobId: id, number: 1 }, worker)
    const key = { jobId: id, number: 1, attempt: job?.attempt ?? 0, workerId: worker }
    const error = { name: 'TypeError', message: 'no "x",\nat all' }
    await store.settle(
      result === undefined
        ? { ...key, state: 'failed', error }
        : { ...key, state: 'succeeded', result, resultError: null },
    )
  }

  test('as CSV is what a spreadsheet reads', async () => {
    const job = jobRow({
      ...{ task: 'csv.plain', owner: 'Ann "A", B', tags: ['a', 'b'], priority: 3, payload: '{"to":"x"}' },
    })
    await store.insert([job])
    await end(job.id, undefined)

    const columns = [
      'id',
      'state',
      'owner',
      'tags',
      'priority',
      'worker',
      'payload',
      'result',
      'errorName',
      'errorMessage',
      'durationMs',
    ] as const
    const text = await exported({ task: 'csv.plain' }, { columns })

    const row = `${job.id},failed,"Ann ""A"", B","[""a"",""b""]",3,mail@one,"{""to"":""x""}",,TypeError,"no ""x"",\nat all",`
    expect(text.startsWith(`${columns.join(',')}\r\n${row}`)).toBe(true)
    expect(text.slice(columns.join(',').length + 2 + row.length)).toMatch(/^\d+\r\n$/)
  })

  // Row S18 of the list of attacks.
  test.each(['=cmd()', '+1', '-1', '@x', '\tx', '\rx'])('as CSV computes nothing: %j', async (evil) => {
    const task = `csv.${uuidv7()}`
    await store.insert([jobRow({ task, owner: evil })])

    const text = await exported({ task }, { format: 'csv', columns: ['owner', 'task'] })

    const cell = /[\t\r]/.test(evil) ? `"'${evil}"` : `'${evil}`
    expect(text).toBe(`owner,task\r\n${cell},${task}\r\n`)
  })

  test('with the head alone where nothing matches', async () => {
    expect(await exported({ task: 'none' }, { columns: ['id', 'task'] })).toBe('id,task\r\n')
    expect(await exported({ task: 'none' }, { format: 'jsonl' })).toBe('')
  })

  test('as JSON Lines is a document for each job', async () => {
    const job = jobRow({ task: 'lines', payload: '{"a":[1]}', delayMs: 60_000 })
    await store.insert([job])

    const [document] = documents(
      await exported({ task: 'lines' }, { format: 'jsonl', columns: exportColumns }),
    )

    expect(Object.keys(document)).toEqual(exportColumns)
    expect(document).toMatchObject({
      ...{ id: job.id, state: 'scheduled', payload: { a: [1] }, result: null, tags: [], startedAt: null },
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    })
  })

  test('hides what is to be hidden', async () => {
    const job = jobRow({
      task: 'hidden',
      payload: '{"card":"4711"}',
      options: '{"redact":["payload.card","result.card"]}',
    })
    await store.insert([job])
    await end(job.id, '{"card":"4711"}')

    for (const format of ['csv', 'jsonl'] as const) {
      const text = await exported({ task: 'hidden' }, { format, columns: exportColumns })
      expect(text).toContain('[redacted]')
      expect(text).not.toContain('4711')
    }
  })

  test('has large values whole, up to a size that it tells', async () => {
    await store.insert([
      jobRow({ task: 'large', payload: JSON.stringify('x'.repeat(100_000)) }),
      jobRow({ task: 'large', payload: JSON.stringify('x'.repeat(300_000)) }),
    ])

    const payloads = documents(await exported({ task: 'large' }, { format: 'jsonl', columns: ['payload'] }))

    expect(payloads.map(({ payload }) => payload.slice(0, 20)).sort()).toEqual([
      '(300002 bytes: shown',
      'x'.repeat(20),
    ])
    expect(payloads.some(({ payload }) => payload.length === 100_000)).toBe(true)
  })

  test('has every job once, tells how far it is, and can be stopped', async () => {
    const jobs = Array.from({ length: 250 }, (_, n) => jobRow({ task: 'many', queue: `q${n % 3}` }))
    await store.insert(jobs)
    const told: ExportProgress[] = []

    const ids = documents(
      await exported(
        { task: 'many' },
        { format: 'jsonl', columns: ['id'], onProgress: (each) => told.push(each) },
      ),
    ).map(({ id }) => id)

    expect(ids.toSorted()).toEqual(jobs.map(({ id }) => id).sort())
    expect(told.map(({ done }) => done)).toEqual([200, 250])
    expect(told[0]).toEqual({ done: 200, matched: 250, isMore: false, since: null })
    const stopping = new AbortController()
    const some = await exported(
      { task: 'many' },
      { format: 'jsonl', columns: ['id'], signal: stopping.signal, onProgress: () => stopping.abort() },
    )
    expect(documents(some)).toHaveLength(200)
  })

  test('that makes no sense is refused before anything is written', async () => {
    await expect(exported({}, { columns: ['idd' as 'id'] })).rejects.toThrow(
      'There is no column "idd". Did you mean "id"?',
    )
    await expect(exported({}, { columns: [] })).rejects.toThrow('"columns" is an empty list.')
    await expect(exported({}, { columns: ['id', 'id'] })).rejects.toThrow('"columns" names "id" twice.')
    await expect(exported({}, { format: 'xml' as 'csv' })).rejects.toThrow(
      `"format" must be 'csv' or 'jsonl'`,
    )
    await expect(exported({ query: 'a or' })).rejects.toThrow('"query" makes no sense.')
    await expect(exported({}, { colums: [] } as ExportOptions)).rejects.toThrow('Did you mean "columns"?')
  })
})

test('an export writes what a codec has made in the plainest way', async () => {
  const values = createValues({
    stringify: (value) => JSON.stringify({ at: String(value) }),
    parse: (text) => new Map([['at', JSON.parse(text).at]]),
  })
  const store = createMemoryStore({ values })
  await store.insert([jobRow({ payload: '\t{"at":"now"}' })])

  let text = ''
  for await (const piece of createExport({ store: async () => store, values })({}, { columns: ['payload'] }))
    text += piece

  expect(text).toBe('payload\r\n"[[""at"",""now""]]"\r\n')
  await store.close()
})
