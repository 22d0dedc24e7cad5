import type { NotedVerb } from '../../../../control/audit.js'
import type { Verb } from '../../../../control/verbs.js'
import type { BulkAction } from '../../../../job/filter.js'
import type { AuditLine } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { tellCount } from '../../ui/format.js'
import { linkToArgs } from '../../ui/jobs-link.js'
import { filterToQuery } from './filter-query.js'

/** A piece of a sentence; with an address, a link. */
export type Part = string | { readonly text: string; readonly to: string }

type Line = Pick<Json<AuditLine>, 'verb' | 'args' | 'affected' | 'operation' | 'outcome'> &
  Partial<Pick<Json<AuditLine>, 'asked'>>
type Args = Readonly<Record<string, unknown>>
type Teller = (args: Args, line: Line) => readonly Part[]

/** What somebody did, as the rest of a sentence that begins with who it was: `paused queue mail`. */
export function sentenceOf(line: Line): readonly Part[] {
  const args = isArgs(line.args) ? line.args : {}
  const tell = Object.hasOwn(tellers, line.verb) ? tellers[line.verb as keyof typeof tellers] : undefined
  return joined(tell ? tell(args, line) : [`did "${line.verb}"`])
}

/** The same to be read by machines: titles, labels, tests. */
export function sentenceText(line: Line): string {
  return sentenceOf(line)
    .map((part) => (typeof part === 'string' ? part : part.text))
    .join('')
}

const ofWorkers: Readonly<Record<Verb, Teller>> = {
  ping: (_, line) => ['asked ', ...workers(line), ' whether they are there'],
  shutdown: ({ now }, line) => [
    'told ',
    ...workers(line),
    now === true ? ' to end at once' : ' to shut down',
  ],
  'pool-grow': ({ by }, line) => ['grew the pool of ', ...workers(line), ` by ${number(by)}`],
  'pool-shrink': ({ by }, line) => ['shrank the pool of ', ...workers(line), ` by ${number(by)}`],
  autoscale: ({ range }, line) =>
    isArgs(range)
      ? [
          'let ',
          ...workers(line),
          ` scale between ${number(range.min)} and ${number(range.max)} jobs at once`,
        ]
      : ['ended autoscaling of ', ...workers(line)],
  'pool-restart': (_, line) => ['restarted the pool of ', ...workers(line)],
  'queue-add': ({ queue }, line) => ['let ', ...workers(line), ' serve ', queueOf(queue)],
  'queue-remove': ({ queue }, line) => ['took ', queueOf(queue), ' from ', ...workers(line)],
  'log-level': ({ level }, line) => ['set the log level of ', ...workers(line), ` to ${text(level)}`],
  reset: (_, line) => ['took back what was set for ', ...workers(line)],
  pause: ({ queue }) => ['paused ', queueOf(queue)],
  resume: ({ queue }) => ['resumed ', queueOf(queue)],
  'rate-limit': ({ scope, rateLimit }) => limit('rate limit', scope, rateLimit, tellScoped),
  concurrency: ({ scope, concurrency }) => limit('concurrency', scope, concurrency, tellScoped),
  'limit-reset': ({ scope }) => ['took back the limits that were set for ', scopeOf(scope)],
  'time-limit': ({ task, timeLimit }) => limit('time limit', `task:${text(task)}`, timeLimit, tellTimeLimit),
  active: (_, line) => ['asked ', ...workers(line), ' what they run'],
  reserved: (_, line) => ['asked ', ...workers(line), ' what they hold'],
  registered: (_, line) => ['asked ', ...workers(line), ' which tasks they know'],
  stats: (_, line) => ['asked ', ...workers(line), ' how they are'],
  queues: (_, line) => ['asked ', ...workers(line), ' which queues they serve'],
  conf: (_, line) => ['asked ', ...workers(line), ' for their configuration'],
  report: (_, line) => ['asked ', ...workers(line), ' for a report'],
}

const ofJobs: Readonly<Record<BulkAction, Teller>> = {
  cancel: (args, line) => ['cancelled ', ...jobs(args, line), because(args)],
  retry: (args, line) => ['retried ', ...jobs(args, line)],
  delete: (args, line) => ['deleted ', ...jobs(args, line)],
  promote: (args, line) => ['let ', ...jobs(args, line), ' run now'],
  move: (args, line) => ['moved ', ...jobs(args, line), ...target(args.to)],
}

const noted: Readonly<Record<NotedVerb, Teller>> = {
  enqueue: ({ task }, { outcome }) => enqueued(task, outcome),
  'retry-edited': (args, line) => [
    failed(line) ? 'tried to retry ' : 'retried ',
    ...jobs(args, line),
    ' with an edited payload',
  ],
  reveal: (args, line) => ['looked at the hidden fields of ', ...jobs(args, line)],
  export: (args, line) => ['exported ', ...jobs(args, line)],
  'operation-stop': ({ operation }) => ['stopped ', actionOf(operation)],
  'operation-resume': ({ operation }) => ['went on with ', actionOf(operation)],
  login: () => ['logged in'],
  'login-failed': () => ['could not log in'],
  logout: () => ['logged out'],
}

const tellers: Readonly<Record<Verb | BulkAction | NotedVerb, Teller>> = { ...ofWorkers, ...ofJobs, ...noted }

export function isAskedOfWorkers(verb: string): boolean {
  return Object.hasOwn(ofWorkers, verb)
}

/** All verbs that a line may have. */
export const auditVerbs: readonly string[] = Object.keys(tellers).sort()

function workers({ affected, asked = [] }: Line): readonly Part[] {
  const count = affected ?? asked.length
  if (asked.length === 0 || count < asked.length) return [countedWorkers(affected)]
  const named = asked.map(({ id, name }) => ({
    text: name ?? id.slice(-8),
    to: `/workers/${encodeURIComponent(id)}`,
  }))
  const more = count - named.length
  return [
    count === 1 ? 'worker ' : 'workers ',
    ...listed(more === 0 ? named : [...named, `${tellCount(more)} more`]),
  ]
}

function countedWorkers(count: number | null): string {
  if (count === null) return 'workers'
  return count === 1 ? 'one worker' : `${tellCount(count)} workers`
}

/** With commas between, and a word before the last. */
function listed(parts: readonly Part[]): readonly Part[] {
  return parts.flatMap((part, at) => {
    if (at === 0) return [part]
    return [at === parts.length - 1 ? ' and ' : ', ', part]
  })
}

/** So many jobs, or the one, and which they are. */
function jobs({ ids, of, filter }: Args, { affected, operation }: Line): readonly Part[] {
  const named = Array.isArray(ids) ? ids.map(String) : []
  const count = typeof of === 'number' ? of : named.length
  if (count === 1) return jobOf(named[0])
  const done = operation ? operation.done : affected
  if (count === named.length && count <= mostNamed && count === done)
    return [
      'jobs ',
      ...listed(named.map((id) => ({ text: id.slice(-8), to: `/jobs/${encodeURIComponent(id)}` }))),
    ]
  if (count > 1)
    return [done === null || done === count ? counted(count) : `${number(done)} of ${counted(count)}`]
  const query = filterToQuery(filter)
  const many = done === null ? 'jobs' : counted(done)
  return query === ''
    ? [`${many}, of all`]
    : [`${many} that ${done === 1 ? 'matches' : 'match'} `, matching(query, filter)]
}

/** More of them are only counted. */
const mostNamed = 3

function counted(count: number): string {
  return count === 1 ? 'one job' : `${tellCount(count)} jobs`
}

function matching(query: string, filter: unknown): Part {
  return { text: query, to: linkToArgs({ filter }) ?? '/jobs' }
}

function because({ reason }: Args): string {
  return typeof reason === 'string' && reason !== '' ? `: “${reason}”` : ''
}

function target(to: unknown): readonly Part[] {
  if (!isArgs(to)) return []
  const queue = typeof to.queue === 'string' ? [' to ', queueOf(to.queue)] : []
  const priority = typeof to.priority === 'number' ? [` to priority ${to.priority}`] : []
  return [...queue, ...(queue.length > 0 && priority.length > 0 ? [' and'] : []), ...priority]
}

/** @param value `undefined`: an older version did not keep it. `null`: it was lifted */
function limit(what: string, scope: unknown, value: unknown, tell: (value: unknown) => string): Part[] {
  const of = scopeOf(scope)
  if (value === undefined) return [`changed the ${what} of `, of]
  if (value !== null) return [`set the ${what} of `, of, ` to ${tell(value)}`]
  return what === 'time limit' ? ['took back the time limit set for ', of] : [`lifted the ${what} of `, of]
}

/** Of the task, of each of its keys, or both. */
function tellScoped(value: unknown): string {
  if (!isArgs(value)) return number(value)
  const { task, key } = value
  return [
    ...(task === undefined ? [] : [number(task)]),
    ...(key === undefined ? [] : [`${number(key)} for each key`]),
  ].join(', ')
}

function tellTimeLimit(value: unknown): string {
  if (!isArgs(value)) return tellTime(value)
  const { soft, hard } = value
  if (hard === undefined || hard === null) return tellTime(soft)
  if (soft === undefined || soft === null) return `${tellTime(hard)}, hard`
  return `${tellTime(soft)}, hard ${tellTime(hard)}`
}

function tellTime(value: unknown): string {
  return typeof value === 'number' ? `${value} ms` : text(value)
}

/** As `task:mail.send` or `queue:mail`. */
function scopeOf(scope: unknown): Part {
  const said = text(scope)
  const at = said.indexOf(':')
  const name = said.slice(at + 1)
  if (said.startsWith('queue:')) return queueOf(name)
  return said.startsWith('task:') ? taskOf(name) : said
}

function queueOf(queue: unknown): Part {
  return { text: `queue ${text(queue)}`, to: `/queues/${encodeURIComponent(text(queue))}` }
}

function taskOf(task: unknown): Part {
  return { text: `task ${text(task)}`, to: `/tasks/${encodeURIComponent(text(task))}` }
}

function jobOf(id: unknown): readonly Part[] {
  const said = text(id)
  return ['job ', { text: said, to: `/jobs/${encodeURIComponent(said)}` }]
}

function number(value: unknown): string {
  return typeof value === 'number' ? tellCount(value) : text(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '?' : JSON.stringify(value)
}

function isArgs(value: unknown): value is Args {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A job by hand: a new one, one that was there already, or none. */
function enqueued(task: unknown, outcome: unknown): readonly Part[] {
  const came = isArgs(outcome) ? outcome : {}
  if (came.id === undefined) return ['tried to enqueue a job of ', taskOf(task)]
  const [before, after] =
    came.created === false ? ['asked for a job of ', ' and found '] : ['enqueued a job of ', ': ']
  return [before, taskOf(task), after, ...jobOf(came.id)]
}

function failed({ outcome }: Line): boolean {
  return isArgs(outcome) && ('error' in outcome || outcome.answer === 'unfit')
}

function actionOf(operation: unknown): Part {
  return { text: 'an action on many jobs', to: `/audit/${encodeURIComponent(text(operation))}` }
}

/** Pieces of plain text beside each other become one. */
function joined(parts: readonly Part[]): readonly Part[] {
  const all: Part[] = []
  for (const part of parts) {
    const last = all.at(-1)
    if (typeof part === 'string' && typeof last === 'string') all[all.length - 1] = last + part
    else if (part !== '') all.push(part)
  }
  return all
}
