// The contract of the management API, src/dashboard/api/contract.ts, as JSON Schema with its comments, and the examples
// beside it: src/dashboard/generated/contract.ts, which the API describes itself by.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const contract = join(root, 'src/dashboard/api/contract.ts')
const examples = join(root, 'src/dashboard/api/examples.json')
const target = join(root, 'src/dashboard/generated/contract.ts')

export async function describeContract() {
  const sources = [...closureOf(contract), examples, fileURLToPath(import.meta.url)]
  if (existsSync(target) && sources.every((file) => statSync(file).mtimeMs < statSync(target).mtimeMs)) return
  const { createGenerator } = await import('ts-json-schema-generator')
  const generator = createGenerator({
    path: contract,
    tsconfig: join(root, 'tsconfig.json'),
    type: 'Api',
    skipTypeCheck: true,
    expose: 'export',
    jsDoc: 'extended',
    additionalProperties: false,
  })
  const { definitions } = generator.createSchema('Api')
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(
    target,
    `// Made by scripts/describe-contract.mjs. Do not edit.
/** By the names of the contract's types, as JSON Schema. */
export const definitions: Readonly<Record<string, unknown>> = ${JSON.stringify(definitions)}

/** By the names of routes. */
export const examples: Readonly<Record<string, unknown>> = ${JSON.stringify(JSON.parse(readFileSync(examples, 'utf8')))}
`,
  )
}

/** A file of src, and all that it imports for its types. */
function closureOf(file, found = new Set()) {
  if (found.has(file) || !existsSync(file)) return found
  found.add(file)
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)\.js'/g))
    closureOf(join(dirname(file), `${path}.ts`), found)
  return found
}
