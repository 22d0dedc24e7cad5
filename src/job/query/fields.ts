import type { DurationTerm, IdTerm, NameField, NumberTerm, TextTerm, TimeTerm } from './query.js'
import type { Operator } from './tokens.js'

/** A field of the query language, for those who write queries. */
export interface DescribedField {
  readonly name: string
  /** Other words for it: those of Celery, Flower and GitHub. */
  readonly aliases: readonly string[]
  readonly about: string
  readonly operators: readonly string[]
  readonly examples: readonly string[]
}

export type QueryField = {
  readonly aliases: readonly string[]
  readonly about: string
  readonly examples: readonly string[]
} & (
  | { readonly kind: 'state'; readonly name: 'state' }
  | { readonly kind: 'name'; readonly name: NameField }
  | { readonly kind: 'id'; readonly name: IdTerm['field'] }
  | {
      readonly kind: 'text'
      readonly name: 'text' | 'payload' | 'result' | 'error'
      readonly in: TextTerm['in']
    }
  | { readonly kind: 'number'; readonly name: NumberTerm['field'] }
  | { readonly kind: 'duration'; readonly name: DurationTerm['field'] }
  | { readonly kind: 'time'; readonly name: TimeTerm['field'] }
)

/** In the order in which people are told of them. */
export const queryFields: readonly QueryField[] = [
  {
    name: 'state',
    kind: 'state',
    aliases: ['is', 'status'],
    about: 'Where the job stands; open, waiting and ended are several states',
    examples: ['state:failed', 'state:open', '-state:succeeded'],
  },
  {
    name: 'task',
    kind: 'name',
    aliases: ['name'],
    about: 'Name of the task; * is any text',
    examples: ['task:mail.send', 'task:mail.*'],
  },
  {
    name: 'queue',
    kind: 'name',
    aliases: [],
    about: 'Where it waits, or waited',
    examples: ['queue:mail,slow'],
  },
  {
    name: 'worker',
    kind: 'name',
    aliases: ['hostname'],
    about: 'Name or id of the worker that runs it, or ran it last',
    examples: ['worker:mail@one', 'worker:none'],
  },
  {
    name: 'owner',
    kind: 'name',
    aliases: ['user'],
    about: 'Who may see it',
    examples: ['owner:42', 'owner:none'],
  },
  {
    name: 'tag',
    kind: 'name',
    aliases: ['tags', 'label'],
    about: 'It carries this tag',
    examples: ['tag:vip', '-tag:test'],
  },
  {
    name: 'payload',
    kind: 'text',
    in: 'payload',
    aliases: ['args', 'kwargs'],
    about: 'Text in the payload, or a value in it by its path',
    examples: ['payload:"Ann Lee"', 'payload.customer.id:42'],
  },
  {
    name: 'result',
    kind: 'text',
    in: 'result',
    aliases: [],
    about: 'Text in the result, or a value in it by its path',
    examples: ['result:timeout', 'result.pages>100', 'result:none'],
  },
  {
    name: 'error',
    kind: 'text',
    in: 'error',
    aliases: ['exception', 'traceback'],
    about: 'Text of the last error: class, code, message or stack',
    examples: ['error:"socket hang up"', 'error.code:ECONNRESET', 'error:none'],
  },
  {
    name: 'error.name',
    kind: 'name',
    aliases: [],
    about: 'Class of the last error',
    examples: ['error.name:TypeError'],
  },
  {
    name: 'text',
    kind: 'text',
    in: 'any',
    aliases: [],
    about:
      'Text in payload, result or error, or the last 8 digits of the id: what a word without a field means',
    examples: ['timeout', '"Ann Lee"'],
  },
  {
    name: 'created',
    kind: 'time',
    aliases: ['received', 'enqueued'],
    about: 'When it was enqueued; >1h is within the last hour',
    examples: ['created>1h', 'created<2026-11-01', 'created:2026-11-01'],
  },
  {
    name: 'started',
    kind: 'time',
    aliases: [],
    about: 'When its current or last attempt began',
    examples: ['started>5m'],
  },
  {
    name: 'ended',
    kind: 'time',
    aliases: ['finished'],
    about: 'When it came to its end',
    examples: ['ended>1h'],
  },
  {
    name: 'due',
    kind: 'time',
    aliases: ['eta'],
    about: 'When it may start; +1h is in an hour',
    examples: ['due<+1h'],
  },
  {
    name: 'duration',
    kind: 'duration',
    aliases: ['runtime', 'took'],
    about: 'How long its current or last attempt takes, or took',
    examples: ['duration>30s'],
  },
  {
    name: 'wait',
    kind: 'duration',
    aliases: ['waited'],
    about: 'How long it waited from when it was due to its start, or waits',
    examples: ['wait>5m'],
  },
  {
    name: 'attempts',
    kind: 'number',
    aliases: ['attempt'],
    about: 'Starts so far',
    examples: ['attempts>=3'],
  },
  {
    name: 'failures',
    kind: 'number',
    aliases: ['retries'],
    about: 'Failed attempts so far',
    examples: ['failures>0'],
  },
  {
    name: 'priority',
    kind: 'number',
    aliases: [],
    about: '0 is first; larger waits longer',
    examples: ['priority<5'],
  },
  {
    name: 'parent',
    kind: 'id',
    aliases: [],
    about: 'Id of the job that enqueued it',
    examples: ['parent:01987a3c-5d1e-7b60-8f11-2c9d6e4ab001', 'parent:none'],
  },
  {
    name: 'id',
    kind: 'id',
    aliases: ['uuid'],
    about: 'Id of the job',
    examples: ['id:01987a3c-5d1e-7b60-8f11-2c9d6e4ab001'],
  },
]

const byWord = new Map(
  queryFields.flatMap((field) => [field.name, ...field.aliases].map((word) => [word, field] as const)),
)

/** By its name or another word for it, in any case of letters. */
export function fieldOf(word: string): QueryField | undefined {
  return byWord.get(word.toLowerCase())
}

export const fieldWords: readonly string[] = [...byWord.keys()]

const orders = ['>', '>=', '<', '<='] as const

/** What may stand between the field and a value; the first is what is mostly meant. */
export function operatorsOf({ kind }: QueryField): readonly Operator[] {
  if (kind === 'duration') return orders
  if (kind === 'time') return [...orders, ':', '!=']
  if (kind === 'number') return ['>=', '>', '<', '<=', ':', '!=']
  return [':', '!=']
}

/** All fields, for documents and help. */
export function describeFields(): readonly DescribedField[] {
  return queryFields.map((field) => ({
    name: field.name,
    aliases: field.aliases,
    about: field.about,
    operators: operatorsOf(field),
    examples: field.examples,
  }))
}
