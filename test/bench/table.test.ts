import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parts } from '../../bench/parts.js'
import { type Result, readResults } from '../../bench/results.js'
import { toTable, withTable } from '../../bench/table.js'

const order = ['drain', 'latency', 'store']
const small = result('drain', {
  findings: [
    {
      part: 'drain',
      name: 'Celeriac, Redis',
      ratio: '0.54 × raw',
      figure: '7,081/s (6,771 to 7,275)',
      target: '≥ 0.5 × raw',
      met: true,
    },
    { part: 'drain', name: 'raw BullMQ', figure: '12,785/s (11,581 to 13,004)' },
  ],
})
const late = result('latency', {
  measuredAt: '2026-11-24T10:00:00.000Z',
  findings: [
    {
      part: 'latency',
      name: 'Celeriac, Redis',
      ratio: 'p50 + 5 ms',
      figure: 'p50 6 ms',
      target: 'p50 ≤ raw + 4 ms',
      met: false,
    },
  ],
})

test('the table names the machine, has the ratio before the figure, and says what was missed or not measured', () => {
  expect(
    toTable(byPart(late, small), order),
  ).toBe(`2 cores (AMD EPYC), 24 GB, linux. Node 20.20.2, Redis 7.0.15. \
2026-11-22: drain; 2026-11-24: latency.

| part | measured | ratio | figure: median (spread) | target | met |
| --- | --- | --- | --- | --- | --- |
| drain | Celeriac, Redis | 0.54 × raw | 7,081/s (6,771 to 7,275) | ≥ 0.5 × raw | yes |
| drain | raw BullMQ | | 12,785/s (11,581 to 13,004) | | |
| latency | Celeriac, Redis | p50 + 5 ms | p50 6 ms | p50 ≤ raw + 4 ms | **no** |

Not measured: \`store\`.`)
})

test('parts that were measured on another machine say so', () => {
  const elsewhere = { ...late, machine: { ...late.machine, cores: 16 } }

  const table = toTable(byPart(small, elsewhere), ['drain', 'latency'])

  expect(table).toContain('2 cores (AMD EPYC), 24 GB, linux. Node 20.20.2, Redis 7.0.15. 2026-11-22: drain.')
  expect(table).toContain(
    '16 cores (AMD EPYC), 24 GB, linux. Node 20.20.2, Redis 7.0.15. 2026-11-24: latency.',
  )
})

test('a table is put between its marks, and nothing else in the document changes', () => {
  const once = withTable(
    'Before.\n<!-- measured:begin. Old. -->\nold\n<!-- measured:end -->\nAfter.\n',
    byPart(small),
    ['drain'],
  )

  expect(once).toMatch(
    /^Before\.\n<!-- measured:begin.*-->\n\n2 cores[\s\S]*\| raw BullMQ \|[\s\S]*\n\n<!-- measured:end -->\nAfter\.\n$/,
  )
  expect(once).not.toContain('old')
  expect(withTable(once, byPart(small), ['drain'])).toBe(once)
})

test('a document without the marks is refused', () => {
  expect(() => withTable('# Performance\n', byPart(small), order)).toThrow('no marks')
})

test('the table of docs/performance.md is what the kept results say', () => {
  const document = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8')
  const results = readResults()

  // Until the first part is kept, the document has nothing to agree with.
  const expected = results.size === 0 ? document : withTable(document, results, Object.keys(parts))

  expect(document).toBe(expected)
})

function byPart(...results: readonly Result[]): Map<string, Result> {
  return new Map(results.map((each) => [each.part, each]))
}

function result(part: string, given: Partial<Result>): Result {
  return {
    part,
    measuredAt: '2026-11-22T10:00:00.000Z',
    tookSeconds: 60,
    machine: {
      cores: 2,
      processor: 'AMD EPYC',
      memoryGb: 24,
      platform: 'linux',
      versions: { Node: '20.20.2', Redis: '7.0.15' },
    },
    findings: [],
    ...given,
  }
}
