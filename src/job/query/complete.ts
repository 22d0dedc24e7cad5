import { fieldOf, operatorsOf, type QueryField, queryFields } from './fields.js'
import { formatName } from './format.js'
import { longestQuery } from './parse.js'
import { groupWords, jobStates } from './states.js'
import { type Operator, plainText, type QueryToken, tokenize } from './tokens.js'

/** What a store knows to be there, for who writes a query. */
export interface QueryVocabulary {
  readonly tasks: readonly string[]
  readonly queues: readonly string[]
  readonly workers: readonly string[]
  readonly tags: readonly string[]
  readonly owners: readonly string[]
  /** Names of their classes. */
  readonly errors: readonly string[]
}

/** Something that may stand at the caret. */
export interface QueryCompletion {
  readonly kind: 'field' | 'operator' | 'value' | 'word'
  /** What comes into the place of the characters from `from` up to `to`. */
  readonly text: string
  readonly from: number
  readonly to: number
  /** One line about it; empty where it speaks for itself. */
  readonly about: string
}

type Offer = Pick<QueryCompletion, 'kind' | 'text' | 'about'> & {
  /** What is compared with the letters that are there already. */
  readonly name: string
}

const mostOffered = 30

/**
 * What may stand at the caret, the likeliest first.
 * @param caret the number of characters before it
 */
export function completeQuery(
  text: string,
  caret: number,
  vocabulary: QueryVocabulary,
): readonly QueryCompletion[] {
  if (text.length > longestQuery) return []
  const tokens = tokenize(text)
  const place = placeOf(text, tokens, caret)
  const { typed, from, to } = place
  const ranked = offersAt(place, vocabulary)
    .flatMap((offer) => {
      const rank = rankOf(offer.name, typed)
      return rank === undefined || (rank === within && offer.kind !== 'value') ? [] : { offer, rank }
    })
    .sort((one, other) => one.rank - other.rank)
  const offers = new Map<string, Offer>()
  for (const { offer } of ranked) if (!offers.has(offer.text)) offers.set(offer.text, offer)
  return [...offers.values()]
    .slice(0, mostOffered)
    .map(({ kind, text, about }) => ({ kind, text, about, from, to }))
}

interface Place {
  readonly what: 'nothing' | 'term' | 'term or joint' | 'word' | 'field' | 'value'
  /** The letters before the caret that are to be completed. */
  readonly typed: string
  readonly from: number
  readonly to: number
  /** Of a value. */
  readonly field?: QueryField
  /** Values that stand beside it already. */
  readonly said?: readonly string[]
}

function placeOf(text: string, tokens: readonly QueryToken[], caret: number): Place {
  const at = tokens.findIndex(({ from, to }) => from < caret && caret <= to)
  const token = tokens[at]
  const here = { typed: '', from: caret, to: caret }
  if (!token)
    return afterToken(
      tokens,
      tokens.findLastIndex(({ to }) => to <= caret),
      here,
    )
  const typed = text.slice(token.from, caret)
  const whole = { typed, from: token.from, to: token.to }
  if (token.kind === 'value') return valuePlace(tokens, at, { ...whole, typed: typed.replace(/^"/, '') })
  if (token.kind === 'field') return { what: 'field', ...whole }
  // A minus, before what it is to leave out is there.
  if (typed === '-') return { what: 'term', ...here }
  if (token.kind === 'word') return { what: token.written.isQuoted ? 'nothing' : 'word', ...whole }
  if (token.kind === 'close' || caret < token.to) return { what: 'nothing', ...here }
  return afterToken(tokens, at, here)
}

/** Behind a token, with space between or without. */
function afterToken(tokens: readonly QueryToken[], at: number, here: Omit<Place, 'what'>): Place {
  const token = tokens[at]
  if (token?.kind === 'operator' || token?.kind === 'comma') {
    const next = tokens[at + 1]
    const isBefore = next?.kind === 'value' && next.from === here.from
    return valuePlace(tokens, at + 1, isBefore ? { ...here, to: next.to } : here)
  }
  const isEnd =
    token?.kind === 'value' || token?.kind === 'close' || (token?.kind === 'word' && !isJoint(token))
  return { what: isEnd ? 'term or joint' : 'term', ...here }
}

function isJoint({ written }: Extract<QueryToken, { kind: 'word' }>): boolean {
  return !written.isQuoted && /^(and|or|not)$/i.test(plainText(written))
}

function valuePlace(tokens: readonly QueryToken[], at: number, place: Omit<Place, 'what'>): Place {
  const start = tokens.slice(0, at).findLastIndex(({ kind }) => kind === 'field')
  const token = tokens[start]
  const field = token?.kind === 'field' ? fieldOf(token.text) : undefined
  if (!field) return { what: 'nothing', ...place }
  const said: string[] = []
  for (let n = start + 2; ['value', 'comma'].includes(tokens[n]?.kind ?? ''); n += 1) {
    const value = tokens[n]
    if (value?.kind === 'value' && n !== at) said.push(plainText(value.written))
  }
  return { what: 'value', ...place, field, said }
}

function offersAt({ what, typed, field, said = [] }: Place, vocabulary: QueryVocabulary): readonly Offer[] {
  if (what === 'nothing') return []
  if (what === 'value')
    return field ? valuesOf(field, vocabulary).filter(({ name }) => !said.includes(name)) : []
  if (what === 'field')
    return queryFields.map(({ name, about }) => ({ kind: 'field', name, text: name, about }))
  if (what === 'term') return [...fieldOffers, notWord]
  if (what === 'term or joint') return [...fieldOffers, ...jointWords, notWord]
  return [
    ...operatorOffers(typed),
    ...fieldOffers,
    ...aliasOffers,
    ...jointWords,
    notWord,
    ...termOffers(typed, vocabulary),
  ]
}

/** Each with the operator that is mostly meant. */
const fieldOffers: readonly Offer[] = [
  ...queryFields.map((field) => offerOf(field, field.name)),
  ...(['payload', 'result'] as const).map(
    (part): Offer => ({
      ...{ kind: 'field', name: `${part}.`, text: `${part}.` },
      about: `A value in the ${part} by its path: ${part}.customer.id:42`,
    }),
  ),
  ...(['code', 'message'] as const).map(
    (part): Offer => ({
      ...{ kind: 'field', name: `error.${part}`, text: `error.${part}:` },
      about: `The ${part} of the last error, all of it; * is any text`,
    }),
  ),
]

/** The field itself, for who begins another word for it. */
const aliasOffers = queryFields.flatMap((field) => field.aliases.map((alias) => offerOf(field, alias)))

function offerOf(field: QueryField, name: string): Offer {
  const operator = operatorsOf(field)[0] ?? ':'
  return { kind: 'field', name, text: `${field.name}${operator}`, about: field.about }
}

const jointWords: readonly Offer[] = [
  { kind: 'word', name: 'and', text: 'and', about: 'Both hold, as without a word between them' },
  { kind: 'word', name: 'or', text: 'or', about: 'One of both holds' },
]

const notWord: Offer = {
  kind: 'word',
  name: 'not',
  text: 'not',
  about: 'What follows does not hold; - is the same',
}

const meanings: Readonly<Record<Operator, string>> = {
  ':': 'is',
  '=': 'is',
  '!=': 'is not',
  '>': 'is more than, or later than',
  '>=': 'is at least',
  '<': 'is less than, or earlier than',
  '<=': 'is at most',
}

/** Behind the whole name of a field. */
function operatorOffers(typed: string): readonly Offer[] {
  const field = fieldOf(typed)
  if (!field) return []
  return operatorsOf(field).map((operator) => ({
    ...{ kind: 'operator', name: typed, text: `${typed}${operator}` },
    about: meanings[operator],
  }))
}

const shortestWord = 2

/** Whole terms whose value begins with what is written, or has it within. */
function termOffers(typed: string, vocabulary: QueryVocabulary): readonly Offer[] {
  if (typed.length < shortestWord) return []
  return queryFields
    .filter(({ kind }) => kind === 'state' || kind === 'name')
    .flatMap((field) =>
      valuesOf(field, vocabulary)
        .filter(({ name }) => name !== 'none' && rankOf(name, typed) !== undefined)
        .slice(0, 5)
        .map(
          (offer): Offer => ({
            ...offer,
            text: `${field.name}:${offer.text}`,
            about: offer.about || field.about,
          }),
        ),
    )
}

function valuesOf(field: QueryField, vocabulary: QueryVocabulary): readonly Offer[] {
  if (field.kind === 'state')
    return [
      ...jobStates.map((state) => value(state)),
      ...groupWords.map((word) => value(word, groupMeanings[word])),
    ]
  if (field.kind === 'time') return agos.map(([ago, about]) => value(ago, about))
  if (field.kind === 'duration') return durations.map((each) => value(each))
  const names = namesOf(field, vocabulary).map((name) => ({ ...value(name), text: formatName(name) }))
  return absent[field.name] === undefined ? names : [...names, value('none', absent[field.name])]
}

function value(name: string, about = ''): Offer {
  return { kind: 'value', name, text: name, about }
}

function namesOf({ name }: QueryField, vocabulary: QueryVocabulary): readonly string[] {
  const { tasks, queues, workers, tags, owners, errors } = vocabulary
  if (name === 'task') return tasks
  if (name === 'queue') return queues
  if (name === 'worker') return workers
  if (name === 'tag') return tags
  if (name === 'owner') return owners
  return name === 'error.name' ? errors : []
}

const groupMeanings: Readonly<Record<(typeof groupWords)[number], string>> = {
  open: 'scheduled, queued, running or retrying',
  waiting: 'scheduled, queued or retrying',
  ended: 'succeeded, failed, cancelled or expired',
}

const absent: Readonly<Partial<Record<QueryField['name'], string>>> = {
  worker: 'No worker has taken it',
  owner: 'It has no owner',
  tag: 'It has no tags',
  parent: 'No job enqueued it',
  result: 'It has no result',
  error: 'It has no error',
}

const agos = [
  ['15m', '15 minutes ago'],
  ['1h', 'An hour ago'],
  ['24h', 'A day ago'],
  ['7d', 'A week ago'],
  ['30d', '30 days ago'],
] as const

const durations = ['1s', '10s', '1m', '5m', '1h'] as const

const within = 2

/** 0 for a name that begins with it, 1 where a part of the name does, or {@link within}; else `undefined`. */
function rankOf(name: string, typed: string): number | undefined {
  const at = name.toLowerCase().indexOf(typed.toLowerCase())
  if (at === -1) return undefined
  return at === 0 ? 0 : /[a-z0-9]/i.test(name[at - 1] ?? '') ? within : 1
}
