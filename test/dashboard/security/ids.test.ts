import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshServers } from '../../support/lab.js'
import { openIdProvider } from '../../support/openid-provider.js'
import { get, openWeb, type Scene } from '../api/scene.js'
import { openGate, signIn, Visitor } from '../login/gate.js'
import { tasks } from '../shop.js'

let scene: Scene

beforeAll(async () => {
  scene = await openWeb(await freshServers('redis'))
}, 120_000)

afterAll(() => scene?.close())

describe('S4: an id', () => {
  test('is no number of the broker, and its neighbours are nobody', async () => {
    const { id } = await tasks.mail.send.enqueue('ann')
    const last = Number.parseInt(id.slice(-1), 16)
    const neighbours = [1, 15].map((step) => id.slice(0, -1) + ((last + step) % 16).toString(16))

    expect((await get(scene, `/jobs/${id}`)).status).toBe(200)
    for (const other of ['1', '0', '2', `${id}.1`, `${id.slice(0, 13)}`, ...neighbours])
      expect((await get(scene, `/jobs/${other}`)).status, other).toBe(404)
  })

  test('is random beyond its time: of many that were made at once no two are near', async () => {
    const handles = await scene.jobs.enqueueMany('mail.send', Array(2000).fill('ann'), { delay: '1h' })
    const random = handles.map(({ id }) => id.slice(-10))

    expect(new Set(random).size).toBe(2000)
    // What follows the time and the count: of each bit about half.
    const ones = Array(40).fill(0)
    for (const text of random)
      for (let bit = 0; bit < 40; bit += 1) if ((BigInt(`0x${text}`) >> BigInt(bit)) & 1n) ones[bit] += 1
    for (const count of ones) expect(Math.abs(count - 1000)).toBeLessThan(200)
  })

  test('of a session cannot be read, nor made, and none is like another', async () => {
    const provider = await openIdProvider({ ann: { sub: 'a1' } })
    const gate = await openGate({ provider })
    const values = new Set<string>()
    for (let at = 0; at < 20; at += 1) {
      const ann = new Visitor(gate)
      await signIn(ann, provider, 'ann')
      const [value = ''] = ann.cookies.values()
      expect(Buffer.from(value, 'base64url').toString('latin1')).not.toMatch(/a1|viewer|subject/)
      values.add(value.slice(0, 16))
    }
    expect(values.size).toBe(20)
    await provider.close()
  })
})

test('S37: a session that somebody else has chosen is not the one after the login', async () => {
  const provider = await openIdProvider({ ann: { sub: 'a1' }, mallory: { sub: 'm2' } })
  const gate = await openGate({ provider })
  const [ann, mallory] = [new Visitor(gate), new Visitor(gate)]
  await signIn(mallory, provider, 'mallory')
  const [[name = '', planted = ''] = []] = mallory.cookies

  ann.cookies.set(name, planted)
  await signIn(ann, provider, 'ann')

  expect(ann.cookies.get(name)).not.toBe(planted)
  expect((await ann.open('/')).body).toContain('a1')
  expect((await mallory.open('/')).body).toContain('m2')
  await provider.close()
})

test('S37: what is set is for this host alone, for no script, and for no other site', async () => {
  const provider = await openIdProvider({ ann: { sub: 'a1' } })
  const gate = await openGate({ provider, publicUrl: 'https://jobs.test/x' })
  const ann = new Visitor(gate, 'jobs.test')

  const begun = String((await ann.open('/login/start')).headers['set-cookie'])
  const back = new URL(
    await provider.signIn(String((await ann.open('/login/start')).headers.location), 'ann'),
  )
  const [ended, session] = [
    (await ann.open(`/login/callback${back.search}`)).headers['set-cookie'] ?? [],
  ].flat()
  const out = String(
    (await ann.open('/logout', { 'Sec-Fetch-Site': 'same-origin' }, 'POST')).headers['set-cookie'],
  )

  expect(back.pathname).toBe('/x/login/callback')
  expect(begun).toMatch(
    /^__Host-celeriac-login-\w{8}=[\w-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )
  expect(ended).toMatch(/^__Host-celeriac-login-\w{8}=; Max-Age=0; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  expect(session).toMatch(
    /^__Host-celeriac-session-\w{8}=[\w-]+; Max-Age=28800; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  )
  expect(out).toMatch(
    /^__Host-celeriac-session-\w{8}=; Max-Age=0; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  )
  await provider.close()
})
