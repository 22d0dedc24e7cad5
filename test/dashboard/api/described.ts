import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { patterns } from '../../../src/dashboard/api/api.js'
import type { RouteName } from '../../../src/dashboard/api/contract.js'
import { describeApi } from '../../../src/dashboard/api/open-api.js'
import { matching, toPattern } from '../../../src/dashboard/api/route.js'

// By a real answer, and by what the API says of itself: whatever a test is answered is held to it.
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema({ ...describeApi(), $id: 'api' })

/** What is wrong with the answer of a route, by its description; empty when nothing is. */
export function faultsIn(name: RouteName, answer: unknown, mediaType = 'application/json'): string[] {
  const { method, parts } = toPattern(name)
  const path = `/${parts.map((part) => part.replace(/^:(.*)$/, '{$1}')).join('/')}`
  return check(
    `api#/paths/${escaped(path)}/${method.toLowerCase()}/responses/200/content/${escaped(mediaType)}/schema`,
    answer,
  )
}

/** The same of a body that is sent. */
export function faultsInBody(name: RouteName, body: unknown): string[] {
  const { method, parts } = toPattern(name)
  const path = `/${parts.map((part) => part.replace(/^:(.*)$/, '{$1}')).join('/')}`
  return check(
    `api#/paths/${escaped(path)}/${method.toLowerCase()}/requestBody/content/application~1json/schema`,
    body,
  )
}

/** @throws {Error} when an answer is not as it is described */
export function assertDescribed(method: string, address: string, status: number, body: unknown): void {
  const [path = ''] = address.split('?')
  const found = matching(patterns, path).find((each) => each.method === method)
  const faults =
    status === 200
      ? found && faultsIn(found.name, body)
      : status >= 400
        ? check('api#/components/schemas/Problem', body)
        : []
  if (faults?.length)
    throw new Error(`${method} ${address} is not answered as described:\n${faults.slice(0, 10).join('\n')}`)
}

function check(reference: string, value: unknown): string[] {
  const validate = ajv.getSchema(reference)
  if (!validate) throw new Error(`There is no ${reference}.`)
  if (validate(value)) return []
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  )
}

function escaped(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
}
