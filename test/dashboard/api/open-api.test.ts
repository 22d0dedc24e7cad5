import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { patterns, routeNames, routes } from '../../../src/dashboard/api/api.js'
import { describeApi } from '../../../src/dashboard/api/open-api.js'
import { type Rule, readQuery } from '../../../src/dashboard/api/query.js'
import { ConfigError } from '../../../src/errors.js'
import { faultsIn, faultsInBody } from './described.js'
import type { Example } from './examples.js'

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, object>>
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly description?: string
  readonly schema: {
    readonly type?: string
    readonly enum?: readonly string[]
    readonly minimum?: number
    readonly $ref?: string
  }
}

const document = JSON.parse(JSON.stringify(describeApi())) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly servers: readonly { readonly url: string }[]
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    ...{ name: `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`, operation },
  })),
)

const examples = JSON.parse(
  readFileSync(new URL('../../../src/dashboard/api/examples.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Example>>

const mediaTypes = new Map([
  ['GET /job-export', 'text/csv'],
  ['GET /live', 'text/event-stream'],
])

describe('the description of the API', () => {
  test('is one by the rules of OpenAPI 3.1', async () => {
    const validator = new Validator()
    const found = await validator.validate(structuredClone(document))

    expect(found.errors ?? []).toEqual([])
    expect(found.valid).toBe(true)
    expect(validator.version).toBe('3.1')
  })

  test('has every route, each under a name of its own, with a summary and its right', () => {
    expect(operations.map(({ name }) => name).sort()).toEqual([...routeNames].sort())
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { name, operation } of operations) {
      expect(operation.summary, name).toMatch(/^[A-Z].*\.$/)
      expect(operation.description, name).toMatch(/Takes the right `|The right that it takes/)
      expect(operation.description, name).not.toMatch(/\{@link|\*\//)
    }
  })

  test('leads to the API under any mount', () => {
    const [{ url } = { url: '' }] = document.servers
    const at = 'https://shop.example/admin/jobs/dashboard/api/openapi.json'

    expect(new URL(url, at).href).toBe('https://shop.example/admin/jobs/dashboard/api')
  })

  test('says of every parameter what it means, or where that is the word itself, of what kind it is', () => {
    for (const { name, operation } of operations)
      for (const parameter of operation.parameters)
        expect(Object.keys(parameter.schema).length, `${name} ${parameter.name}`).toBeGreaterThan(0)
  })
})

describe('what stands behind an address', () => {
  const sample = ({ schema }: Parameter): string => {
    if (schema.enum) return schema.enum[0] ?? ''
    if (schema.$ref?.endsWith('/Range')) return '1h'
    if (schema.$ref?.endsWith('/SortOrder')) return 'oldest'
    if (schema.minimum !== undefined) return String(schema.minimum)
    return '5s'
  }

  test.each(operations)('of $name is what is described, and nothing else', ({ name, operation }) => {
    const found = patterns.find((pattern) => `${pattern.method} ${pattern.path}` === name)
    const rules: Readonly<Record<string, Rule<NonNullable<unknown>>>> = found ? routes[found.name].query : {}
    const described = operation.parameters.filter((parameter) => parameter.in === 'query')
    expect(described.map((parameter) => parameter.name).sort()).toEqual(Object.keys(rules).sort())

    for (const parameter of described) {
      const value = parameter.name === 'state' && name.includes('job') ? 'failed' : sample(parameter)
      expect(readQuery(rules, `${parameter.name}=${value}`), parameter.name).toHaveProperty(parameter.name)
    }
    expect(() => readQuery(rules, 'colour=red')).toThrow(ConfigError)
    expect(() => readQuery(rules, '__proto__=red')).toThrow(ConfigError)
  })

  test('has its bounds', () => {
    const { limit } = routes['GET /jobs'].query as Record<string, Rule<NonNullable<unknown>>>
    const described = operations
      .find(({ name }) => name === 'GET /jobs')
      ?.operation.parameters.find(({ name }) => name === 'limit')

    expect(described?.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 1000 })
    for (const wrong of ['0', '1001', '1e3', '-1', '1.5', 'NaN', ''])
      expect(() => limit?.read([wrong], '"limit"')).toThrow(ConfigError)
  })
})

describe('examples', () => {
  test('are there for every route', () => {
    expect(Object.keys(examples).sort()).toEqual([...routeNames].sort())
  })

  test.each([...routeNames])('of %s are as it is described', (name) => {
    const { answer, body, query = {} } = examples[name] ?? { answer: undefined }
    const words = Object.entries(query).flatMap(([word, value]) =>
      [value].flat().map((each): [string, string] => [word, String(each)]),
    )

    expect(faultsIn(name, answer, mediaTypes.get(name))).toEqual([])
    if (body !== undefined) expect(faultsInBody(name, body)).toEqual([])
    readQuery(
      routes[name].query as Readonly<Record<string, Rule<NonNullable<unknown>>>>,
      String(new URLSearchParams(words)),
    )
  })

  test('tell nothing of the machine that they were recorded on', () => {
    const text = JSON.stringify(examples)

    expect(text).not.toMatch(/127\.0\.0\.1|localhost|\/home\/|\/work\/|\/tmp\/|node_modules|test_[0-9a-f]{8}/)
    expect(text.length).toBeLessThan(60_000)
  })
})
