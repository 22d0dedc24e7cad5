import { bulkRights, leastRoleFor } from '../../control/access.js'
import { version } from '../../version.js'
import type { DashboardAction } from '../access.js'
import { definitions, examples } from '../generated/contract.js'
import { patterns, routes } from './api.js'
import type { RouteName } from './contract.js'
import { actions } from './jobs.js'
import { orders } from './orders.js'
import type { Rule } from './query.js'
import { questions } from './questions.js'
import type { Pattern } from './route.js'
import { isObject, type Schema, schemaName, toShared } from './schema.js'

/** What the contract says of a route. */
interface Told {
  readonly description: string
  readonly params: Readonly<Record<string, Schema>>
  readonly query: Readonly<Record<string, Schema>>
  readonly body: Schema | undefined
  readonly answer: Schema
}

/** What a client says, and is answered: recorded, or by hand. */
interface Example {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly answer: unknown
}

let described: object | undefined

/** The whole API by OpenAPI 3.1, made of its contract, its table of routes and recorded examples. */
export function describeApi(): object {
  described ??= {
    openapi: '3.1.1',
    info: {
      title: 'Celeriac: the management API',
      version,
      summary: 'What the dashboard shows and does, for programs.',
      description:
        'What changes something must come from the same origin: a program says so by an Origin header. See docs/management-api.md.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to this document, so that it holds under any mount and behind any proxy.
    servers: [{ url: '../api' }],
    security: [{ app: [] }, { basic: [] }, { session: [] }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths: pathsOf(patterns),
    components: {
      schemas: { ...schemas(), Problem: problemSchema },
      responses: { Problem: problemAnswer },
      securitySchemes,
    },
  }
  return described
}

const tags = {
  overview: 'How everything is, and was.',
  tasks: 'What may run.',
  queues: 'Where jobs wait.',
  workers: 'Who runs them, and what they are asked and told.',
  jobs: 'What was asked for, one by one and many at once.',
  audit: 'Who did what.',
  system: 'What all of it stands on.',
} as const

const tagOf: Readonly<Record<string, keyof typeof tags>> = {
  ...{ me: 'overview', status: 'overview', overview: 'overview', live: 'overview' },
  ...{ tasks: 'tasks', queues: 'queues', workers: 'workers', inspect: 'workers', control: 'workers' },
  ...{ system: 'system', 'openapi.json': 'system', commands: 'audit' },
}

const securitySchemes = {
  app: {
    ...{ type: 'apiKey', in: 'header', name: 'Authorization' },
    description: 'Where an app has mounted it: whatever its option `authorize` looks at.',
  },
  basic: { type: 'http', scheme: 'basic', description: 'Of `celeriac dashboard` with names and passwords.' },
  session: {
    ...{ type: 'apiKey', in: 'cookie', name: '__Host-celeriac' },
    description: 'Of `celeriac dashboard` with a login by OpenID Connect.',
  },
}

const problemSchema = {
  type: 'object',
  description: 'Why not, as RFC 9457 has it.',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What was expected, what came, and what to do.' },
    code: { type: 'string', description: 'Stable: a program may go by it.' },
    issues: {
      type: 'array',
      description: 'Of a payload that its task refuses.',
      items: {
        type: 'object',
        properties: {
          path: { type: 'array', items: { type: ['string', 'number'] } },
          message: { type: 'string' },
        },
        required: ['path', 'message'],
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
}

const problemAnswer = {
  description: 'Why not.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

function schemas(): Record<string, unknown> {
  const { Api: _, ...others } = definitions
  return Object.fromEntries(
    Object.entries(others).map(([name, schema]) => [schemaName(name), toShared(schema)]),
  )
}

function pathsOf(all: readonly Pattern[]): Record<string, Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const pattern of all) {
    const path = `/${pattern.parts.map((part) => part.replace(/^:(.*)$/, '{$1}')).join('/')}`
    paths[path] = { ...paths[path], [pattern.method.toLowerCase()]: operationOf(pattern) }
  }
  return paths
}

function operationOf({ name, method, parts }: Pattern) {
  const told = contractOf(name)
  const example = exampleOf(name)
  const [summary = ''] = told.description.split(/(?<=\.)\s/)
  return {
    operationId: operationIdOf(method, parts),
    tags: [tagOf[parts[0] ?? ''] ?? 'jobs'],
    summary,
    description: `${told.description}\n\n${rightOf(name)}`,
    parameters: [...placesOf(name, told, example), ...queryOf(name, told, example)],
    ...(told.body ? { requestBody: bodyOf(told.body, example) } : {}),
    responses: { ...answerOf(name, told, example), ...refusalsOf(method, parts, told) },
  }
}

/** `GET /tasks/:name/errors` → `getTasksByNameErrors` */
function operationIdOf(method: string, parts: readonly string[]): string {
  const words = parts.flatMap((part) =>
    part.startsWith(':') ? ['by', part.slice(1)] : part.split(/[^A-Za-z]/),
  )
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

const rightsOf: Partial<Record<RouteName, Readonly<Record<string, DashboardAction>>>> = {
  'POST /control/:verb': Object.fromEntries(
    Object.entries(orders).map(([verb, { action }]) => [verb, action]),
  ),
  'POST /jobs/:action': bulkRights,
}

function rightOf(name: RouteName): string {
  const { action } = routes[name]
  if (typeof action === 'string')
    return `Takes the right \`${action}\`, which the role \`${leastRoleFor(action)}\` has.`
  const each = Object.entries(rightsOf[name] ?? {})
  const lines = each.map(([word, right]) => `- \`${word}\`: \`${right}\`, role \`${leastRoleFor(right)}\``)
  return `The right that it takes depends on what is done:\n\n${lines.join('\n')}`
}

/** Words that may stand in a place of an address, where they are a closed list. */
const words: Partial<Record<RouteName, readonly string[]>> = {
  'POST /control/:verb': Object.keys(orders),
  'POST /jobs/:action': Object.keys(actions),
  'GET /inspect/:question': Object.keys(questions),
}

function placesOf(name: RouteName, told: Told, { params = {} }: Partial<Example>) {
  return Object.entries(told.params).map(([place, { description, ...schema }]) => ({
    ...{ name: place, in: 'path', required: true },
    schema: words[name] ? { type: 'string', enum: words[name] } : schema,
    ...(description === undefined ? {} : { description }),
    ...(params[place] === undefined ? {} : { example: params[place] }),
  }))
}

function queryOf(name: RouteName, told: Told, { query = {} }: Partial<Example>) {
  const rules: Readonly<Record<string, Rule<unknown>>> = routes[name].query
  return Object.entries(told.query).map(([word, { description, ...schema }]) => ({
    ...{ name: word, in: 'query' },
    schema: { ...schema, ...rules[word]?.schema },
    ...(description === undefined ? {} : { description }),
    ...(query[word] === undefined ? {} : { example: query[word] }),
  }))
}

function bodyOf(schema: Schema, { body }: Partial<Example>) {
  const content = { schema, ...(body === undefined ? {} : { example: body }) }
  return { content: { 'application/json': content } }
}

/** What is no JSON, and of which type it is. */
const otherTypes: Partial<Record<RouteName, readonly string[]>> = {
  'GET /job-export': ['text/csv', 'application/jsonl'],
  'GET /live': ['text/event-stream'],
}

function answerOf(name: RouteName, { answer }: Told, example: Partial<Example>) {
  const types = otherTypes[name] ?? ['application/json']
  const media = { schema: answer, ...(example.answer === undefined ? {} : { example: example.answer }) }
  const isTagged = 'read' in routes[name]
  return {
    200: {
      description: 'As asked.',
      ...(isTagged
        ? { headers: { ETag: { schema: { type: 'string' }, description: 'For If-None-Match.' } } }
        : {}),
      content: Object.fromEntries(types.map((type) => [type, media])),
    },
    ...(isTagged ? { 304: { description: 'The same as the client has.' } } : {}),
  }
}

function refusalsOf(method: string, parts: readonly string[], { body }: Told): Record<string, unknown> {
  const codes = [
    ...['400', '403'],
    ...(parts.some((part) => part.startsWith(':')) ? ['404'] : []),
    ...(method === 'POST' ? ['409'] : []),
    ...(body ? ['413', '415', '422'] : []),
    ...['429', '500', '503'],
  ]
  return Object.fromEntries(codes.map((code) => [code, { $ref: '#/components/responses/Problem' }]))
}

function contractOf(name: RouteName): Told {
  const api = toShared(definitions.Api)
  const route = isObject(api.properties) ? api.properties[name] : undefined
  if (!isObject(route) || !isObject(route.properties)) throw new Error(`The contract does not know ${name}.`)
  const { params, query, body, answer } = route.properties
  return {
    description: String(route.description ?? ''),
    params: propertiesOf(params),
    query: propertiesOf(query),
    body: isObject(body) ? body : undefined,
    answer: isObject(answer) ? answer : {},
  }
}

/** Of a type that stands there, or is named. */
function propertiesOf(schema: unknown): Readonly<Record<string, Schema>> {
  if (!isObject(schema)) return {}
  const named = /^#\/components\/schemas\/(.*)$/.exec(String(schema.$ref ?? ''))?.[1]
  if (named !== undefined) return propertiesOf(toShared(definitions[named]))
  return isObject(schema.properties) ? (schema.properties as Record<string, Schema>) : {}
}

function exampleOf(name: RouteName): Partial<Example> {
  const example = examples[name]
  return isObject(example) ? (example as Partial<Example>) : {}
}
