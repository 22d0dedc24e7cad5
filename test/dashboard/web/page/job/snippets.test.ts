import { execFileSync } from 'node:child_process'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Call,
  toCli,
  toCurl,
  toLiteral,
  toTypeScript,
} from '../../../../../src/dashboard/web/page/job/snippets.js'

const odd: Call = {
  task: 'mail.send',
  payload: {
    "it's": 'a "quoted" $(touch /tmp/pwned) `id` text\nwith\ttwo lines \\ and \u2028',
    list: [1, null, true, { deep: [] }, {}],
    __proto__x: '@file',
  },
  queue: "-q'$HOME",
  priority: 3,
  owner: 'ann; rm -rf ~',
  tags: ['--vip', 'a b'],
}

/** What a program is given by a command line, as a shell reads it. */
function argumentsIn(commandLine: string): string[] {
  const program = `curl() { printf '%s\\0' "$@"; }; npx() { printf '%s\\0' "$@"; }; ${commandLine}`
  const printed = execFileSync('sh', ['-c', program], { encoding: 'utf8' })
  return printed.split('\0').slice(0, -1)
}

/** What the code enqueues. */
async function enqueuedBy(code: string): Promise<unknown[]> {
  let given: unknown[] = []
  const jobs = {
    enqueue(...all: unknown[]) {
      given = all
    },
  }
  await runInNewContext(`(async () => { ${code} })()`, { jobs })
  return JSON.parse(JSON.stringify(given)) as unknown[]
}

describe('as curl', () => {
  test('a job is enqueued again by one request, which a shell reads as it is meant', () => {
    const [flag, method, url, h, header, data, body = ''] = argumentsIn(
      toCurl(odd, 'https://example.com/it/api'),
    )

    expect([flag, method, h, header, data]).toEqual([
      ...['-X', 'POST', '-H', 'Content-Type: application/json', '--data-raw'],
    ])
    expect(url).toBe('https://example.com/it/api/tasks/mail.send/enqueue')
    const { task: _, ...said } = odd
    expect(JSON.parse(body)).toEqual(said)
  })

  test('a task without a payload is given none', () => {
    expect(toCurl({ task: "it's", payload: undefined, owner: null }, 'http://x/api')).toBe(
      [
        `curl -X POST 'http://x/api/tasks/it'\\''s/enqueue'`,
        `-H 'Content-Type: application/json'`,
        `--data-raw '{"owner":null}'`,
      ].join(' \\\n  '),
    )
  })
})

describe('on the command line', () => {
  test('a job is enqueued again by one call, which a shell reads as it is meant', () => {
    expect(argumentsIn(toCli(odd))).toEqual([
      ...['celeriac', 'call', 'mail.send', `--payload=${JSON.stringify(odd.payload)}`],
      ...[`--queue=${odd.queue}`, '--priority=3', `--owner=${odd.owner}`, '--tag=--vip', '--tag=a b'],
    ])
  })

  test('what is plain needs no quotes', () => {
    expect(toCli({ task: 'mail.send', payload: 42, attempts: 5, owner: null })).toBe(
      'npx celeriac call mail.send \\\n  --payload=42 \\\n  --attempts=5',
    )
  })
})

describe('in TypeScript', () => {
  test('a job is enqueued again by one call, which means what it says', async () => {
    const { task, payload, ...options } = odd

    expect(await enqueuedBy(toTypeScript(odd))).toEqual([task, payload, options])
  })

  test('it is short where it can be, and has a line each where it is long', () => {
    expect(toTypeScript({ task: 'a.b', payload: { to: "O'Hara", n: 1, 'x-y': [] } })).toBe(
      `await jobs.enqueue('a.b', { to: "O'Hara", n: 1, 'x-y': [] })`,
    )
    expect(toTypeScript({ task: 'a.b', payload: { text: 'x'.repeat(80), list: [1, 2] } })).toBe(
      `await jobs.enqueue('a.b', {\n  text: '${'x'.repeat(80)}',\n  list: [1, 2],\n})`,
    )
  })

  test('a field named __proto__ is a field', async () => {
    const payload: unknown = JSON.parse('{"__proto__":{"admin":true}}')

    expect(JSON.stringify(await enqueuedBy(toTypeScript({ task: 'a', payload })))).toBe(
      '["a",{"__proto__":{"admin":true}}]',
    )
  })
})

test('any value of JSON is written so that a shell and a script read the same', async () => {
  const values = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)
  await fc.assert(
    fc.asyncProperty(values, fc.string(), async (payload, queue) => {
      expect(runInNewContext(`JSON.stringify(${toLiteral(payload)})`)).toBe(JSON.stringify(payload))
      expect(runInNewContext(toLiteral(queue))).toBe(queue)
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 3 }), (tags) => {
      const said = tags.map((tag) => tag.replaceAll('\0', ''))
      const given = argumentsIn(toCli({ task: 'a', payload: said, tags: said }))
      expect(given.slice(3)).toEqual([
        `--payload=${JSON.stringify(said)}`,
        ...said.map((tag) => `--tag=${tag}`),
      ])
    }),
    { numRuns: 15 },
  )
})
