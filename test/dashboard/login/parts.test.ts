import { describe, expect, test } from 'vitest'
import { checkDashboard, type OidcConfig } from '../../../src/config/dashboard.js'
import { toNext } from '../../../src/dashboard/login/next.js'
import { hashPassword, isPassword, nobodysHash, readHash } from '../../../src/dashboard/login/password.js'
import { roleOf, toIdentity } from '../../../src/dashboard/login/role.js'
import { createSeal } from '../../../src/dashboard/login/seal.js'
import { createTries } from '../../../src/dashboard/login/tries.js'
import { assertNamesDiffer, readUsers } from '../../../src/dashboard/login/users.js'

describe('a password', () => {
  test('is known again by its hash, and no other is', async () => {
    const text = await hashPassword('correct horse: battery, staple')
    const hash = readHash(text)

    expect(text).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/)
    if (!hash) throw new Error('It cannot be read.')
    expect(await isPassword('correct horse: battery, staple', hash)).toBe(true)
    expect(await isPassword('correct horse: battery, stapl', hash)).toBe(false)
    expect(await isPassword('', nobodysHash())).toBe(false)
  })

  test('has another hash each time, and one for each way to write it in Unicode', async () => {
    const [one, two] = await Promise.all([hashPassword('caf\u00e9'), hashPassword('caf\u00e9')])
    const hash = readHash(one)

    expect(one).not.toBe(two)
    expect(hash && (await isPassword('cafe\u0301', hash))).toBe(true)
  })

  test.each([
    'scrypt',
    'scrypt$32768$8$1$c2FsdHNhbHQ',
    'scrypt$32767$8$1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g',
    'scrypt$4194304$64$1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g',
    'scrypt$32768$8$99$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g',
    'scrypt$32768$8$1$c2FsdHNhbHQ$c2hvcnQ',
    'bcrypt$32768$8$1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g',
  ])('%s is no hash', (text) => {
    expect(readHash(text)).toBeUndefined()
  })
})

describe('users', () => {
  test('stand one a line, or by commas', () => {
    const file = '# the team\n\nann:se:cr,et:admin\r\n  bob : pass word :viewer\n'

    expect(readUsers(file, '\n', 'users.txt')).toEqual([
      { name: 'ann', password: 'se:cr,et', role: 'admin' },
      { name: 'bob', password: ' pass word ', role: 'viewer' },
    ])
    expect(readUsers('ann:secret:admin,bob:pass:operator', ',', 'X')).toHaveLength(2)
  })

  test.each([
    ['ann', 'users.txt, line 1: must be name:password:role'],
    ['ann:hunter2', 'users.txt, line 1: must be name:password:role'],
    [':hunter2:admin', 'users.txt, line 1: must be name:password:role'],
    ['ann::admin', 'users.txt, line 1: must be name:password:role'],
    ['\nann:hunter2:root', 'users.txt, line 2: must end in a role: viewer, operator, admin'],
    ['ann:scrypt$1$2:admin', 'users.txt, line 1: has a hash that cannot be read'],
  ])('%j is refused, without its password', (text, message) => {
    const read = () => readUsers(text, '\n', 'users.txt')

    expect(read).toThrow(message)
    expect(read).not.toThrow(/hunter2/)
  })

  test('of one name are refused', () => {
    expect(() => assertNamesDiffer(readUsers('ann:a:admin,ann:b:viewer', ',', 'X'))).toThrow(
      'Two logins of the dashboard have the name "ann".',
    )
  })
})

describe('tries', () => {
  test('are ten at once, and then one each half a minute', () => {
    let now = 0
    const tries = createTries(() => now)
    const take = (address = '192.0.2.1') => tries.take(address)

    expect(Array.from({ length: 11 }, () => take())).toEqual([...Array(10).fill(0), 30])
    now += 20_000
    expect(take()).toBe(10)
    now += 10_000
    expect([take(), take()]).toEqual([0, 30])
    expect(take('192.0.2.2')).toBe(0)
  })

  test('that were right cost nothing', () => {
    const tries = createTries(() => 0)

    for (let at = 0; at < 100; at += 1) {
      expect(tries.take('192.0.2.1')).toBe(0)
      tries.giveBack('192.0.2.1')
    }
  })

  test('are counted together for whoever has a whole network', () => {
    const tries = createTries(() => 0)
    const addresses = Array.from({ length: 10 }, (_, at) => `2001:db8:1:2:${at}::${at}`)

    expect(addresses.map(tries.take)).toEqual(Array(10).fill(0))
    expect(tries.take('2001:db8:1:2::')).toBe(30)
    expect(tries.take('2001:db8:1:3::')).toBe(0)
    expect(tries.take('2001:db8::1')).toBe(0)
    expect(tries.take('::ffff:192.0.2.1')).toBe(0)
  })

  test('are remembered of ten thousand addresses, and not of more', () => {
    const tries = createTries(() => 0)
    for (let at = 0; at < 11; at += 1) tries.take('192.0.2.1')

    for (let at = 0; at < 9_999; at += 1) tries.take(`10.${at >> 8}.${at & 255}.1`)
    expect(tries.take('192.0.2.1')).toBe(30)
    for (let at = 0; at < 10_000; at += 1) tries.take(`11.${at >> 8}.${at & 255}.1`)
    expect(tries.take('192.0.2.1')).toBe(0)
  })
})

describe('S22, S37: where somebody wanted to go', () => {
  test.each([
    ['/', '/'],
    ['/jobs?state=failed&q=a%20b', '/jobs?state=failed&q=a%20b'],
    ['/jobs/../workers', '/workers'],
    ['/logins', '/logins'],
    ['/jobs?next=//evil.example', '/jobs?next=//evil.example'],
  ])('%s is ours', (text, next) => {
    expect(toNext(text)).toBe(next)
  })

  test.each([
    'https://evil.example/',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '\\/evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/..//evil.example',
    '/./\\evil.example',
    '/x/../..//evil.example',
    '/%2e%2e//evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '@evil.example',
    'evil.example',
    '',
    '/login',
    '/login/start?next=/',
    '/logout',
    `/${'a'.repeat(3000)}`,
    null,
    undefined,
    ['/jobs'],
  ])('%j is not', (text) => {
    expect(toNext(text)).toBe('/')
  })
})

describe('a seal', () => {
  const seal = createSeal('secret', 'purpose')

  test('gives back what was closed', () => {
    const value = { name: 'änn', list: [1, null] }

    expect(seal.open(seal.close(value, 1000))).toEqual({ value })
    expect(createSeal('secret', 'purpose').open(seal.close(value, 1000))).toEqual({ value })
    expect(seal.close(value, 1000)).not.toBe(seal.close(value, 1000))
  })

  test('opens for no other secret and no other purpose', () => {
    const text = seal.close('x', 1000)

    expect(createSeal('secret!', 'purpose').open(text)).toBeUndefined()
    expect(createSeal('secret', 'purpose!').open(text)).toBeUndefined()
  })

  test('says when its time is over', () => {
    expect(seal.open(seal.close('x', 0))).toBe('expired')
  })

  test('opens nothing that is not whole', () => {
    const text = seal.close('x', 1000)
    const letters = [...text].map(
      (letter, at) => text.slice(0, at) + (letter === 'A' ? 'B' : 'A') + text.slice(at + 1),
    )

    // The last letter may hold bits that mean nothing.
    for (const changed of letters.slice(0, -1)) expect(seal.open(changed)).toBeUndefined()
    for (const other of ['', 'a', text.slice(4), 'a'.repeat(5000)]) expect(seal.open(other)).toBeUndefined()
  })
})

describe('a role', () => {
  const configOf = (oidc: object): OidcConfig => {
    const config = checkDashboard({ oidc: { issuer: 'https://id.test', clientId: 'x', ...oidc } }, '/').oidc
    if (!config) throw new Error('There is none.')
    return config
  }
  const roleWith = (claims: object, oidc: object) => {
    const config = configOf(oidc)
    return roleOf(toIdentity({ sub: '1', email_verified: true, ...claims }, config), config)
  }

  test.each<[string, object, string]>([
    ['groups', { groups: ['a', 'admins'] }, 'groups'],
    ['one group', { groups: 'admins' }, 'groups'],
    ['a claim of another name', { 'https://x.test/roles': ['admins'] }, 'https://x.test/roles'],
    ['a claim within', { realm_access: { roles: ['admins'] } }, 'realm_access.roles'],
    ['an object by names', { roles: { admins: { org: 1 } } }, 'roles'],
  ])('follows from %s', (_what, claims, roleClaim) => {
    expect(roleWith(claims, { roleClaim, roles: { admins: 'admin' } })).toBe('admin')
    expect(roleWith(claims, { roleClaim: 'other', roles: { admins: 'admin' } })).toHaveProperty('why')
    expect(
      roleWith(claims, { roleClaim, roles: { constructor: 'admin', toString: 'admin' } }),
    ).toHaveProperty('why')
  })

  test.each([
    ['*@example.com', 'ann@example.com', true],
    ['*@example.com', 'ANN@Example.COM', true],
    ['ann@example.com', 'ann@example.com', true],
    ['a*n@example.com', 'aaron@example.com', true],
    ['team-*-jobs@example.com', 'team-x-y-jobs@example.com', true],
    ['*a*@example.com', 'a@example.com', true],
    // Flower's CVE-2022-30034, and its like.
    ['*@example.com', 'ann@example.com.evil.test', false],
    ['*@example.com', 'ann@evil.test@example.com', false],
    ['*@example.com', 'ann@sub.example.com', false],
    ['*@example.com', 'ann@xexample.com', false],
    ['*@example.com', 'ann@exampleXcom', false],
    ['*@example.com', '@example.com', false],
    ['ann@example.com', 'joann@example.com', false],
    ['ann@example.com', 'ann@example.com\n', false],
    ['a*n@example.com', 'a@example.com', false],
    ['aa*aa@example.com', 'aaa@example.com', false],
  ])('%s is for %j: %s', (pattern, email, fits) => {
    const role = roleWith({ email }, { emails: { [pattern]: 'operator' } })
    if (fits) expect(role).toBe('operator')
    else expect(role).toHaveProperty('why')
  })

  test('of an address counts where the provider has verified it, or is trusted with that', () => {
    const claims = { email: 'ann@example.com', email_verified: undefined }
    const emails = { '*@example.com': 'viewer' }

    expect(roleWith(claims, { emails })).toHaveProperty('why')
    expect(roleWith(claims, { emails, unverifiedEmails: true })).toBe('viewer')
  })

  test.each<[string, object, object]>([
    ['ann@example.com', { email: 'Ann@example.com', email_verified: true }, {}],
    ['ann@example.com', { email: 'ann@example.com' }, { unverifiedEmails: true }],
    ['mallory', { email: 'ann@example.com', preferred_username: 'mallory' }, {}],
    ['1', { email: 'ann@example.com', email_verified: false, name: 'Ann' }, {}],
    ['ann', { preferred_username: 'ann' }, {}],
  ])('goes with the name %s: an address that is not verified names nobody', (name, claims, oidc) => {
    expect(toIdentity({ sub: '1', ...claims }, configOf({ defaultRole: 'viewer', ...oidc }))).toMatchObject({
      name,
    })
  })

  test('is for nobody beyond the bound, whatever else says so', () => {
    const oidc = { roles: { admins: 'admin' }, allow: ['*@example.com'] }
    const groups = ['admins']

    expect(roleWith({ groups, email: 'ann@example.com' }, oidc)).toBe('admin')
    expect(roleWith({ groups, email: 'ann@else.test' }, oidc)).toHaveProperty('why')
    expect(roleWith({ groups }, oidc)).toHaveProperty('why')
  })
})
