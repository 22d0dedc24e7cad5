import { shellWord } from '../../../../job/shell-word.js'

/** What a job was enqueued with, as far as a call repeats it. */
export interface Call {
  readonly task: string
  readonly payload: unknown
  /** What differs from what is usual. */
  readonly queue?: string
  readonly priority?: number
  readonly attempts?: number
  readonly owner?: string | null
  readonly tags?: readonly string[]
}

/** @param api the address of the management API, without a slash at its end */
export function toCurl({ task, payload, ...options }: Call, api: string): string {
  const body = JSON.stringify({ ...(payload === undefined ? {} : { payload }), ...options })
  return [
    `curl -X POST ${shellWord(`${api}/tasks/${encodeURIComponent(task)}/enqueue`)}`,
    `-H 'Content-Type: application/json'`,
    // As raw data: a text that begins with @ names no file then.
    `--data-raw ${shellWord(body)}`,
  ].join(' \\\n  ')
}

export function toCli({ task, payload, queue, priority, attempts, owner, tags = [] }: Call): string {
  const flags = [
    ...(payload === undefined ? [] : [['payload', JSON.stringify(payload)]]),
    ...(queue === undefined ? [] : [['queue', queue]]),
    ...(priority === undefined ? [] : [['priority', String(priority)]]),
    ...(attempts === undefined ? [] : [['attempts', String(attempts)]]),
    ...(owner === undefined || owner === null ? [] : [['owner', owner]]),
    ...tags.map((tag) => ['tag', tag]),
  ]
  return [
    `npx celeriac call ${shellWord(task)}`,
    ...flags.map(([name = '', value = '']) => `--${name}=${shellWord(value)}`),
  ].join(' \\\n  ')
}

export function toTypeScript({ task, payload, ...options }: Call): string {
  const said = Object.entries(options).filter(([, value]) => value !== undefined)
  const given = [
    toLiteral(task),
    toLiteral(payload),
    ...(said.length === 0 ? [] : [toLiteral(Object.fromEntries(said))]),
  ]
  return `await jobs.enqueue(${given.join(', ')})`
}

/** A value of JSON as it is written in code, over several lines where it is long. */
export function toLiteral(value: unknown, indent = ''): string {
  if (value === undefined) return 'undefined'
  if (typeof value === 'string') return toText(value)
  if (typeof value !== 'object' || value === null) return String(JSON.stringify(value))
  const inner = `${indent}  `
  const parts = Array.isArray(value)
    ? value.map((each) => toLiteral(each, inner))
    : Object.entries(value).map(([name, each]) => `${toName(name)}: ${toLiteral(each, inner)}`)
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{ ', ' }']
  if (parts.length === 0) return `${open.trim()}${close.trim()}`
  const line = `${open}${parts.join(', ')}${close}`
  if (indent.length + line.length <= longestLine && !line.includes('\n')) return line
  return `${open.trim()}\n${parts.map((part) => `${inner}${part},\n`).join('')}${indent}${close.trim()}`
}

const longestLine = 80

/** In an object that is written down, `__proto__` is no field but what the object is made of, unless it is computed. */
function toName(name: string): string {
  if (name === '__proto__') return `['__proto__']`
  return /^[a-zA-Z_$][\w$]*$/.test(name) ? name : toText(name)
}

function toText(text: string): string {
  const quoted = JSON.stringify(text)
  if (text.includes("'") && !text.includes('"')) return quoted
  return `'${quoted.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
