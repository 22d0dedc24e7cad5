import { describe, expect, test } from 'vitest'
import {
  type DashboardAction,
  dashboardActions,
  dashboardRoles,
  leastRoleFor,
} from '../../src/control/access.js'
import { type Fault, forbidden, toVisitor, type Visitor } from '../../src/dashboard/access.js'

function visitorOf(verdict: unknown): { visitor: Visitor | undefined; faults: Fault[] } {
  const faults: Fault[] = []
  return { visitor: toVisitor(verdict, (fault) => faults.push(fault)), faults }
}

function known(verdict: unknown): Visitor {
  const { visitor } = visitorOf(verdict)
  if (!visitor) throw new Error('That is nobody.')
  return visitor
}

const countOf = (role: string) => dashboardActions.filter((action) => leastRoleFor(action) === role).length

describe('a role', () => {
  test.each(dashboardRoles)('%s may what its place in the order says', (role) => {
    const { actions, may, by } = known(role)
    const roles = dashboardRoles.slice(0, dashboardRoles.indexOf(role) + 1)

    expect(actions).toEqual(dashboardActions.filter((action) => roles.includes(leastRoleFor(action))))
    expect(dashboardActions.filter(may)).toEqual(actions)
    expect(by).toBeNull()
  })

  test('that is higher may more', () => {
    expect(dashboardRoles.map((role) => known(role).actions.length)).toEqual([
      1,
      1 + countOf('operator'),
      dashboardActions.length,
    ])
  })

  test('of true is admin', () => {
    expect(known(true)).toMatchObject({ role: 'admin', by: null })
  })

  test('may come with a name', () => {
    expect(known({ name: 'ann@shop', role: 'operator' })).toMatchObject({ by: 'ann@shop', role: 'operator' })
    expect(known({ role: 'viewer' })).toMatchObject({ by: null, role: 'viewer' })
    expect(known({ name: `a\u0000${'n'.repeat(500)}`, role: 'viewer' }).by).toHaveLength(255)
  })
})

describe('a function', () => {
  const mayRetry = (action: DashboardAction) => action === 'view' || action === 'job.retry'

  test.each([
    ['alone', mayRetry, null],
    ['with a name', { name: 'bob', may: mayRetry }, 'bob'],
  ])('%s decides by action', (_what, verdict, by) => {
    const visitor = known(verdict)

    expect(visitor).toMatchObject({ by, role: null, actions: ['view', 'job.retry'] })
    expect([visitor.may('job.retry'), visitor.may('job.delete')]).toEqual([true, false])
  })

  test.each([
    ['a promise', async () => true, 'a promise'],
    ['a number', () => 1, 'a number'],
    ['a text', () => 'yes', 'another text'],
  ])('that gives %s says no, and it is told', (_what, may, got) => {
    const { visitor, faults } = visitorOf(may)

    expect(visitor?.may('view')).toBe(false)
    expect(faults).toContainEqual({ kind: 'may', got })
  })

  test('that throws says no, and it is told', () => {
    const error = new Error('no session store')
    const { visitor, faults } = visitorOf(() => {
      throw error
    })

    expect(visitor?.actions).toEqual([])
    expect(faults[0]).toEqual({ kind: 'threw', error })
  })
})

describe('nobody', () => {
  test.each([false, null, undefined, '', 0, Number.NaN, { role: null }, { name: 'ann', role: false }])(
    'is %j, without a word',
    (verdict) => {
      expect(visitorOf(verdict)).toEqual({ visitor: undefined, faults: [] })
    },
  )

  test.each<[unknown, string]>([
    ['ann@shop', 'another text'],
    ['Admin', 'another text'],
    ['constructor', 'another text'],
    [1, 'a number'],
    [['admin'], 'an object with 0'],
    [{}, 'an object with nothing in it'],
    [{ name: 'ann' }, 'an object with name'],
    [{ role: 'root' }, 'an object with role'],
    [{ role: true }, 'an object with role'],
    [{ role: ['admin'] }, 'an object with role'],
    [{ may: true }, 'an object with may'],
    [{ role: 'admin', may: () => true }, 'an object with role, may'],
    [{ name: 7, role: 'admin' }, 'an object with name, role'],
    [{ id: 7, name: 'ann', role: 'admin' }, 'an object with id, name, role'],
    [Promise.resolve(true), 'a promise'],
  ])('is %j, and it is told', (verdict, got) => {
    expect(visitorOf(verdict)).toEqual({ visitor: undefined, faults: [{ kind: 'verdict', got }] })
  })
})

test('a refusal says which action it is, and which role it takes', () => {
  expect(forbidden(known('viewer'), 'job.delete')).toMatchObject({
    status: 403,
    code: 'FORBIDDEN',
    message: 'You may not do this: "job.delete" takes the role "admin", and you are "viewer".',
  })
  expect(
    forbidden(
      known(() => false),
      'job.retry',
    ).message,
  ).toBe('You may not do this: it takes the right to "job.retry", which the role "operator" has.')
})
