import {
  type Comparison,
  type DurationTerm,
  momentOf,
  type NameMatch,
  type NameTerm,
  type NoneTerm,
  type PathStep,
  type PathTerm,
  type PathValue,
  type QueryTerm,
  type QueryTree,
  type TextTerm,
} from '../../job/query/query.js'
import { largestSearchedJson, toLiteral } from '../json-path.js'
import { idEndIn, searchedCharacters, wordings } from '../search-text.js'
import type { Row } from './row.js'
import type { Table } from './table.js'

/** As the statement says it; see `search-query.ts` beside the statements. */
export function isMeant(table: Table, tree: QueryTree, row: Row): boolean {
  if (tree.kind === 'not') return !isMeant(table, tree.of, row)
  if (tree.kind === 'and') return tree.of.every((each) => isMeant(table, each, row))
  if (tree.kind === 'or') return tree.of.some((each) => isMeant(table, each, row))
  return isTerm(table, tree, row)
}

function isTerm(table: Table, term: QueryTerm, row: Row): boolean {
  if (term.kind === 'state') return term.among.includes(row.state)
  if (term.kind === 'name') return namesOf(table, term.field, row).some((name) => isNamed(name, term.among))
  if (term.kind === 'id') return term.among.includes((term.field === 'id' ? row.id : row.parentId) ?? '')
  if (term.kind === 'none') return hasNone(term.field, row)
  if (term.kind === 'text') return hasText(row, term.in, term.text)
  if (term.kind === 'path') return hasValue(row, term)
  if (term.kind === 'number') {
    const numbers = { attempts: row.attempt, failures: row.failures, priority: row.priority }
    return compare(numbers[term.field] - term.value, term.is)
  }
  if (term.kind === 'duration') {
    const ms = lengthOf(table, term.field, row)
    return ms !== undefined && compare(ms - term.ms, term.is)
  }
  const times = { created: row.createdAt, started: row.startedAt, ended: row.finishedAt, due: row.runAt }
  const time = times[term.field]
  return time !== null && compare(time.getTime() - momentOf(term, table.now()).getTime(), term.is)
}

function compare(difference: number, is: Comparison): boolean {
  if (is === '=') return difference === 0
  if (is === '<') return difference < 0
  if (is === '<=') return difference <= 0
  return is === '>' ? difference > 0 : difference >= 0
}

function namesOf(table: Table, field: NameTerm['field'], row: Row): readonly string[] {
  if (field === 'task') return [row.task]
  if (field === 'queue') return [row.queue]
  if (field === 'owner') return row.owner === null ? [] : [row.owner]
  if (field === 'tag') return row.tags
  if (field === 'worker') return workersOf(table, row)
  return row.error === null ? [] : [JSON.parse(row.error).name]
}

/** Its id, and its name as long as that is known. */
export function workersOf(table: Table, { workerId }: Row): readonly string[] {
  if (workerId === null) return []
  const name = table.workers.get(workerId)?.name
  return name === undefined ? [workerId] : [workerId, name]
}

function isNamed(name: string, among: readonly NameMatch[]): boolean {
  return among.some((each) => (typeof each === 'string' ? each === name : isLike(name, each.like)))
}

/** Whether a text is these pieces in their order, with anything between them. */
function isLike(text: string, pieces: readonly string[]): boolean {
  const [first = '', ...others] = pieces
  const last = others.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false
  let at = first.length
  for (const piece of others) {
    const found = text.indexOf(piece, at)
    if (found === -1) return false
    at = found + piece.length
  }
  return at <= text.length - last.length
}

function hasNone(field: NoneTerm['field'], row: Row): boolean {
  if (field === 'tag') return row.tags.length === 0
  return (
    { owner: row.owner, worker: row.workerId, parent: row.parentId, result: row.result, error: row.error }[
      field
    ] === null
  )
}

export function hasText(row: Row, part: TextTerm['in'], text: string): boolean {
  if (part === 'error') return has(row.error, text)
  if (part !== 'any') return !isHidden(row) && has(row[part], text)
  const idEnd = idEndIn(text)
  if (idEnd !== undefined && row.id.endsWith(idEnd)) return true
  return has(row.error, text) || (!isHidden(row) && (has(row.payload, text) || has(row.result, text)))
}

function has(json: string | null, text: string): boolean {
  const searched = json?.slice(0, searchedCharacters).toLowerCase()
  return wordings(text).some((each) => searched?.includes(each.toLowerCase()))
}

function isHidden({ options }: Row): boolean {
  return options?.includes('"redact"') === true
}

function lengthOf(table: Table, field: DurationTerm['field'], row: Row): number | undefined {
  const { state, runAt, startedAt, finishedAt } = row
  const now = table.now().getTime()
  if (field === 'duration') {
    if (startedAt === null || (finishedAt === null && state !== 'running')) return undefined
    return (finishedAt?.getTime() ?? now) - startedAt.getTime()
  }
  if (['scheduled', 'queued', 'retrying'].includes(state)) {
    return runAt.getTime() <= now ? now - runAt.getTime() : undefined
  }
  const until = startedAt ?? finishedAt
  return until === null ? undefined : Math.max(0, until.getTime() - runAt.getTime())
}

function hasValue(row: Row, term: PathTerm): boolean {
  const json = row[term.in]
  if (json === null || Buffer.byteLength(json) > largestSearchedJson) return false
  if (term.in !== 'error' && isHidden(row)) return false
  const found = term.path.reduce(follow, [JSON.parse(withoutOddities(json)) as unknown])
  return found.some((value) => matches(value, term.is, term.value))
}

/** PostgreSQL cannot read these, so they are taken for what stands for a character that is none. */
function withoutOddities(json: string): string {
  return json.replace(/\\u(0000|d[89a-f][0-9a-f]{2})/gi, '\\ufffd')
}

/** As PostgreSQL's jsonpath goes: a list is each of its elements, and any other value a list of one. */
function follow(values: readonly unknown[], step: PathStep): unknown[] {
  if (step === null) return values.flatMap(toElements)
  if (typeof step === 'number') return values.flatMap((value) => toElements(value).slice(step, step + 1))
  return values
    .flatMap(toElements)
    .flatMap((value) => (isRecord(value) && Object.hasOwn(value, step) ? [value[step]] : []))
}

function toElements(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function matches(found: unknown, is: Comparison, wanted: PathValue): boolean {
  if ('like' in wanted && wanted.like.every((piece) => piece === '')) return true
  const candidates = toElements(found).flatMap(toElements)
  if ('like' in wanted)
    return candidates.some((each) => typeof each === 'string' && isLike(each, wanted.like))
  const literal = wanted.isText ? undefined : toLiteral(wanted.text)
  if (is === '=')
    return candidates.some((each) => each === wanted.text || (literal !== undefined && each === literal))
  return candidates.some((each) => {
    if (typeof literal === 'number') return typeof each === 'number' && compare(each - literal, is)
    return (
      typeof each === 'string' && compare(Buffer.compare(Buffer.from(each), Buffer.from(wanted.text)), is)
    )
  })
}
