import fc from 'fast-check'
import {
  allOf,
  type NameMatch,
  notOf,
  oneOf,
  type QueryTerm,
  type QueryTree,
} from '../../../src/job/query/query.js'
import { jobStates } from '../../../src/job/query/states.js'

/** Every kind of query, with every kind of text in it. */

const text = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'ab.*"\\,()-:=<>! @%_\n'), minLength: 1, maxLength: 8 }),
    fc.constantFrom(
      'none',
      'and',
      'OR',
      'not',
      '-',
      '&&',
      '*',
      '**',
      '\\*',
      'mail.send',
      '01987a3c-5d1e-7b60-8f11-2c9d6e4ab001',
    ),
  )
  .filter((each) => !/\0|\p{Surrogate}/u.test(each))

/** What stands between two `*` is never nothing: they would be one. */
const like = fc
  .tuple(fc.oneof(fc.constant(''), text), fc.array(text, { maxLength: 2 }), fc.oneof(fc.constant(''), text))
  .map(([first, middle, last]) => ({ like: [first, ...middle, last] }))

const name: fc.Arbitrary<NameMatch> = fc.oneof(text, like)
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 3, selector: (each) => JSON.stringify(each) })
const id = fc.uuid()
const order = fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const)
const comparison = fc.oneof(order, fc.constant('=' as const))
const ms = fc.oneof(
  fc.nat(3_600_000),
  fc.nat(1000).map((hours) => hours * 3_600_000),
)
const moment = fc.oneof(
  fc
    .oneof(
      ms,
      ms.map((each) => (each === 0 ? 0 : -each)),
    )
    .map((agoMs) => ({ agoMs })),
  fc
    .date({ min: new Date(0), max: new Date('9999-12-30'), noInvalidDate: true })
    .map((date) => ({ at: date.toISOString() })),
)
const step = fc.oneof(text, fc.nat(1000), fc.constant(null))
const isAnything = (each: { like: readonly string[] }) => each.like.every((piece) => piece === '')

export const term: fc.Arbitrary<QueryTerm> = fc.oneof(
  fc.record({
    kind: fc.constant('state' as const),
    among: fc.uniqueArray(fc.constantFrom(...jobStates), { minLength: 1 }),
  }),
  fc.record({
    kind: fc.constant('name' as const),
    field: fc.constantFrom('task', 'queue', 'error.name'),
    among: names,
  }),
  fc.record({
    kind: fc.constant('name' as const),
    field: fc.constantFrom('worker', 'owner', 'tag'),
    among: names.filter((list) => list.every((each) => typeof each === 'string' || !isAnything(each))),
  }),
  fc.record({
    kind: fc.constant('id' as const),
    field: fc.constantFrom('id', 'parent'),
    among: fc.uniqueArray(id, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('none' as const),
    field: fc.constantFrom('owner', 'worker', 'tag', 'parent', 'result', 'error'),
  }),
  fc.record({
    kind: fc.constant('text' as const),
    in: fc.constantFrom('any', 'payload', 'result', 'error'),
    text,
  }),
  fc.record({
    kind: fc.constant('path' as const),
    in: fc.constantFrom('payload', 'result', 'error'),
    path: fc
      .tuple(fc.constantFrom('code', 'message'), fc.array(step, { maxLength: 3 }))
      .map(([first, others]) => [first, ...others]),
    is: fc.constant('=' as const),
    value: fc.oneof(
      fc.record({ text, isText: fc.constant(true) }),
      fc.record({
        text: fc.constantFrom('42', 'true', 'null', 'x@y', '-1.5', 'none'),
        isText: fc.constant(false),
      }),
      like,
    ),
  }),
  fc.record({
    kind: fc.constant('number' as const),
    field: fc.constantFrom('attempts', 'failures', 'priority'),
    is: comparison,
    value: fc.nat(),
  }),
  fc.record({
    kind: fc.constant('duration' as const),
    field: fc.constantFrom('duration', 'wait'),
    is: order,
    ms,
  }),
  fc.record({
    kind: fc.constant('time' as const),
    field: fc.constantFrom('created', 'started', 'ended', 'due'),
    is: order,
    moment,
  }),
)

export const tree: fc.Arbitrary<QueryTree> = fc.letrec<{ tree: QueryTree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 4, withCrossShrink: true },
    term,
    fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map(allOf),
    fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map(oneOf),
    tie('tree').map(notOf),
  ),
})).tree
