import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { RouteName } from '../../../src/dashboard/api/contract.js'
import { toPattern } from '../../../src/dashboard/api/route.js'
import { until } from '../../support/until.js'
import type { Filled } from '../pages/showroom.js'
import { ask, fromPage } from '../shop.js'
import { api } from './scene.js'

export interface Example {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly answer: unknown
}

export type Examples = Record<RouteName, Example>

const file = fileURLToPath(new URL('../../../src/dashboard/api/examples.json', import.meta.url))

type Asked = Omit<Example, 'answer'>

interface Place {
  readonly port: number
  readonly url: string
  readonly filled: Filled
}

/** Asks each route once, of a company whose jobs have run, and gives what is said and answered. */
export async function recordExamples(place: Place): Promise<Examples> {
  const command = (await say(place, 'POST /control/pause', { body: { queue: 'billing' } })) as {
    readonly command: string
  }
  const operation = (await say(place, 'POST /jobs/cancel', { body: { filter: { queue: 'video' } } })) as {
    readonly id: string
  }
  await until(async () => {
    const { series } = (await say(place, 'GET /workers/:id', { params: { id: 'mail@one' } })) as {
      readonly series: { readonly memory: readonly unknown[] }
    }
    return series.memory.at(-1) !== null
  })
  const asked = askedBy(place.filled, command.command, operation.id)
  const answers: Partial<Record<RouteName, Example>> = {}
  for (const [name, each] of Object.entries(asked) as [RouteName, Asked][])
    answers[name] = tidy({ ...each, answer: await say(place, name, each) })
  answers['GET /live'] = await recordLive(place)
  answers['GET /openapi.json'] = { answer: { openapi: '3.1.1' } }
  return answers as Examples
}

function askedBy(filled: Filled, command: string, operation: string): Partial<Record<RouteName, Asked>> {
  const mail = { to: 'ada@example.com', subject: 'Your order 1001' }
  return {
    'GET /me': {},
    'GET /status': {},
    'GET /overview': { query: { range: '1h' } },
    'GET /tasks': { query: { range: '24h' } },
    'GET /tasks/:name': { params: { name: 'billing.charge' }, query: { range: '1h' } },
    'GET /tasks/:name/errors': { params: { name: 'mail.send' }, query: { range: '24h' } },
    'POST /tasks/:name/enqueue': {
      params: { name: 'mail.send' },
      query: { wait: 20 },
      body: { payload: mail, priority: 5, tags: ['by-hand'] },
    },
    'GET /queues': { query: { range: '1h' } },
    'GET /queues/:name': { params: { name: 'billing' }, query: { range: '1h' } },
    'GET /workers': { query: { state: 'ok' } },
    'GET /workers/:id': { params: { id: 'mail@one' }, query: { range: '1h' } },
    'GET /system': {},
    'GET /inspect/:question': {
      params: { question: 'queues' },
      query: { workers: ['mail@*'], deadline: '5s' },
    },
    'POST /control/:verb': { params: { verb: 'resume' }, body: { queue: 'billing' } },
    'GET /commands': { query: { limit: 2 } },
    'GET /commands/:id': { params: { id: command } },
    'POST /commands/:id/stop': { params: { id: operation } },
    'POST /commands/:id/resume': { params: { id: operation } },
    'GET /jobs': { query: { state: ['failed'], task: ['mail.send'], limit: 2, values: 'short' } },
    'GET /job-count': { query: { query: 'state:failed task:mail.*', most: 1000 } },
    'GET /job-export': { query: { tag: ['monthly'], format: 'csv', columns: 'id,task,state,payload' } },
    'GET /vocabulary': {},
    'GET /jobs/:id': { params: { id: filled.failed } },
    'GET /jobs/:id/result': { params: { id: filled.succeeded }, query: { wait: 20 } },
    'GET /jobs/:id/logs': { params: { id: filled.succeeded }, query: { limit: 2 } },
    'POST /jobs/:id/retry': { params: { id: filled.failed }, body: { payload: mail } },
    'POST /jobs/:id/reveal': { params: { id: filled.secret } },
    'POST /jobs/:action': {
      params: { action: 'retry' },
      body: { filter: { task: 'mail.send', state: 'failed' } },
    },
  }
}

async function say(
  place: Place,
  name: RouteName | `POST /${string}`,
  { params = {}, query = {}, body }: Asked,
) {
  const { method, parts } = toPattern(name as RouteName)
  const path = parts.map((part) =>
    part.startsWith(':') ? encodeURIComponent(params[part.slice(1)] ?? '') : part,
  )
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]) =>
      [value].flat().map((each): [string, string] => [key, String(each)]),
    ),
  )
  const text = body === undefined ? undefined : JSON.stringify(body)
  const answer = await ask(place, `${api}/${path.join('/')}?${search}`, {
    method,
    headers: {
      'X-User': 'ann',
      ...fromPage,
      ...(text
        ? { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) }
        : {}),
    },
    ...(text ? { body: text } : {}),
  })
  if (answer.status !== 200) throw new Error(`${name} was answered ${answer.status}: ${answer.body}`)
  return /json/.test(String(answer.headers['content-type'])) &&
    !/jsonl/.test(String(answer.headers['content-type']))
    ? (JSON.parse(answer.body) as unknown)
    : answer.body
}

async function recordLive({ url }: Place): Promise<Example> {
  const query = { watch: ['/job-count?state=failed'] }
  const address = `${url}${api}/live?${new URLSearchParams({ watch: query.watch[0] ?? '' })}`
  const { body } = await fetch(address, { headers: { 'X-User': 'ann' } })
  let text = ''
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString()
    const [, data] = /^data: (.*)$/m.exec(text) ?? []
    if (data !== undefined && text.endsWith('\n\n')) return { query, answer: JSON.parse(data) as unknown }
  }
  throw new Error('The stream ended without an event.')
}

/** Nothing of the machine that they were recorded on, and no more than shows what they are like. */
function tidy(example: Example): Example {
  const text = JSON.stringify(example, (key, value: unknown) => {
    if (Array.isArray(value))
      return key === 'required' || key === 'columns' ? value : value.slice(0, mostShown)
    if (key === 'host') return 'shop-1'
    if (key === 'pid') return 4242
    if (key === 'config') return { concurrency: 4 }
    if (key === 'stack') return String(value).split('\n')[0]
    return typeof value === 'string' ? plain(value) : value
  })
  return JSON.parse(text) as Example
}

const mostShown = 3

function plain(text: string): string {
  return text
    .replace(/^\/.*\/modules\//, 'src/modules/')
    .replace(/redis:\/\/[^\s"]+/g, 'redis://redis:6379/0')
    .replace(/postgres(ql)?:\/\/[^\s"]+/g, 'postgres://db:5432/shop')
    .replace(/(http )?(::ffff:)?127\.0\.0\.1(:\d+)?/g, (_, http = '') => `${http}10.0.0.7`)
    .replace(/process \d+ on \S+/g, 'process 4242 on shop-1')
}

export function writeExamples(examples: Examples): void {
  writeFileSync(file, `${JSON.stringify(examples, null, 2)}\n`)
}
