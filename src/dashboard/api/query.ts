import { ConfigError } from '../../errors.js'
import { type Duration, toMs } from '../../job/duration.js'
import { checkKeys } from '../../task/check.js'

/** How a parameter of an address is read. */
export interface Rule<Value> {
  /** What JSON Schema says of it beside its type. */
  readonly schema: Readonly<Record<string, unknown>>
  /** Whether it may stand there several times, or with commas. */
  readonly isList: boolean
  /** A comma does not part it. */
  readonly hasCommas?: boolean
  /** @throws {ConfigError} when it is not of this form */
  read(texts: readonly string[], where: string): Value
}

/** A rule for each parameter that the contract knows. */
export type QueryRules<Query> = { readonly [Key in keyof Query]-?: Rule<NonNullable<Query[Key]>> }

function single<Value>(
  schema: Rule<Value>['schema'],
  read: (text: string, where: string) => Value,
): Rule<Value> {
  return { schema, isList: false, read: ([text = ''], where) => read(text, where) }
}

/** Text of any kind, which is checked where it is used. */
export const text: Rule<string> = single({}, (given) => given)

/** A whole number. */
export function count(least: number, most: number): Rule<number> {
  return single({ type: 'integer', minimum: least, maximum: most }, (given, where) => {
    const number = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
    if (number >= least && number <= most) return number
    throw new ConfigError(`${where} must be a whole number from ${least} to ${most}, not "${shown(given)}".`)
  })
}

/** One of a few words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Rule<Word> {
  return single({ enum: words }, (given, where) => toWord(words, given, where))
}

/** Several of a few words. */
export function someOf<const Word extends string>(...words: readonly Word[]): Rule<Word[]> {
  return {
    schema: { items: { enum: words } },
    isList: true,
    read: (given, where) => given.map((each) => toWord(words, each, where)),
  }
}

/** Texts by commas, or named several times. */
export const texts: Rule<string[]> = { schema: {}, isList: true, read: (given) => [...given] }

/** The same, where a comma is a part of it. */
export const whole: Rule<string[]> = { ...texts, hasCommas: true }

/** Milliseconds, or text like `5s`. */
export function duration(mostMs: number): Rule<string> {
  return single({}, (given, where) => {
    const ms = /^\d{1,9}$/.test(given) ? Number(given) : toMs(given as Duration)
    if (ms !== undefined && ms >= 1 && ms <= mostMs) return `${ms}ms`
    throw new ConfigError(`${where} must be milliseconds or a text like "5s", at most ${mostMs / 1000} s.`)
  })
}

function toWord<Word extends string>(words: readonly Word[], given: string, where: string): Word {
  const word = words.find((each) => each === given)
  if (word !== undefined) return word
  throw new ConfigError(`${where} is one of ${words.join(', ')}, not "${shown(given)}".`)
}

function shown(given: string): string {
  return given.slice(0, 100)
}

/**
 * What stands behind the path, read by the rules. Parsed here, because the app chooses how Express does it.
 * @throws {ConfigError} when there is any other parameter, or one that is wrong
 */
export function readQuery<Query>(rules: QueryRules<Query>, search: string): Partial<Query> {
  const given = new URLSearchParams(search)
  const known = Object.entries<Rule<unknown>>(rules)
  checkKeys(
    Object.fromEntries(given),
    known.map(([name]) => name),
    'The address',
  )
  const values = known.flatMap(([name, rule]) => {
    const all = given.getAll(name)
    if (all.length === 0) return []
    if (all.length > 1 && !rule.isList) throw new ConfigError(`"${name}" stands twice in the address.`)
    return [
      [name, rule.read(rule.isList ? all.flatMap((each) => each.split(',')) : all, `"${name}"`)] as const,
    ]
  })
  if (search.includes('%00') || search.includes('\0'))
    throw new ConfigError('The address has a NUL character in it, which no text in the store has.')
  return Object.fromEntries(values) as Partial<Query>
}
