import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { files } from '../../../src/dashboard/generated/pages.js'
import { ask, openShop, type Shop } from '../shop.js'

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ worker: false, authorize: () => 'viewer' })
})

afterAll(() => shop?.close())

const get = (path: string) => ask(shop, `/jobs/dashboard${path}`, { headers: { Accept: 'text/html' } })

/** None of them is a file below the folders that are served. */
const outside = [
  ...[
    '',
    '.',
    '..',
    '../',
    './../package.json',
    '..%2fpackage.json',
    '%2e%2e/package.json',
    '%2e%2e%2fpackage.json',
  ],
  ...['..%5cpackage.json', '..\\package.json', '%2e%2e%5c%2e%2e%5cpackage.json', '....//package.json'],
  ...[
    '%252e%252e%252fpackage.json',
    '..%c0%afpackage.json',
    '%00',
    'index.html%00.js',
    '/etc/passwd',
    '//etc/passwd',
  ],
  ...[
    '%2fetc%2fpasswd',
    'C:%5cwindows',
    'file:%2f%2f%2fetc%2fpasswd',
    '~root',
    '.env',
    '.git/config',
    '__proto__',
  ],
  ...['constructor', 'js/', 'js', 'js%5cmain.js', 'index.ejs', '..%2findex.ejs', '%2e%2e/index.ejs'],
]

describe.each(['/assets/', '/board/static/', '/'])('S38: below %s', (folder) => {
  test.each(outside.filter((path) => folder !== '/' || !['', '.'].includes(path)))(
    '%j is no file',
    async (path) => {
      const { status, body } = await get(folder + path)

      expect([302, 400, 403, 404]).toContain(status)
      expect(body).not.toMatch(/root:|"name":\s*"celeriac"|<%|Index of/)
    },
  )
})

test('S38: folders are not listed', async () => {
  for (const path of ['/assets', '/assets/', '/board/static', '/board/static/', '/board/static/js/'])
    expect([(await get(path)).status, path]).toEqual([404, path])
})

test('S38: files that are there are served, as what they are', async () => {
  for (const { name, type } of files) {
    const { status, headers } = await get(`/${name}`)
    expect([status, headers['content-type']], name).toEqual([200, type])
  }
  const page = await get('/board/')
  const script = /src="(static\/js\/main\.[^"]*)"/.exec(page.body)?.[1]
  const { status, headers } = await get(`/board/${script}`)
  expect([status, headers['cache-control']]).toEqual([200, 'private, max-age=31536000, immutable'])
})
