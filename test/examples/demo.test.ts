import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { freshDatabase } from '../support/servers.js'
import { copyExample, endProcesses, run, stopEmbedded } from './example.js'

// Whole processes start here, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 })

afterEach(endProcesses)

test('the demo needs no server: it sends a picture through, checks the thumbnails and leaves', async () => {
  const app = copyExample('shop')
  onTestFinished(() => stopEmbedded(app))

  const demo = run(app, 'demo.ts', ['--exit'], {})

  expect(await demo.ended).toBe(0)
  expect(demo.output).toMatch(/POST \/pictures +harbour\.jpg/)
  expect(demo.output).toMatch(/GET its small +webp, 160 × \d+/)
  expect(demo.output).toMatch(/GET its medium +webp, 400 × \d+/)
  expect(demo.output).toMatch(/GET its large +webp, 960 × \d+/)
})

test('the demo stays up, and one Ctrl-C stops it though npm passes it on twice', async () => {
  const demo = run(copyExample('shop'), 'demo.ts', [], { CELERIAC_DATABASE_URL: await freshDatabase() })
  await demo.says(/Ctrl-C stops it/)
  const page = await fetch(await demo.says(/the shop +(http\S+)/))

  demo.signal('SIGINT')
  demo.signal('SIGINT')

  expect(page.status).toBe(200)
  expect(await demo.ended).toBe(0)
})

test('the demo fails with the reason when the picture is none', async () => {
  const app = copyExample('shop')
  const database = await freshDatabase()
  writeFileSync(join(app, 'letter.jpg'), 'Dear shop, this is no picture.')

  const demo = run(app, 'demo.ts', ['--picture', 'letter.jpg'], { CELERIAC_DATABASE_URL: database })

  expect(await demo.ended).toBe(1)
  expect(demo.output).toContain(
    'The demo failed: POST /pictures answered 422: This is no picture that can be read.',
  )
})

test('the demo fails with the reason when only the worker sees that the picture is broken', async () => {
  const app = copyExample('shop')
  const database = await freshDatabase()
  const whole = readFileSync(join(app, 'samples/harbour.jpg'))
  writeFileSync(join(app, 'half.jpg'), whole.subarray(0, whole.length / 2))

  const demo = run(app, 'demo.ts', ['--exit', '--picture', 'half.jpg'], { CELERIAC_DATABASE_URL: database })

  expect(await demo.ended).toBe(1)
  expect(demo.output).toMatch(/The demo failed: the job failed: The picture is broken: .*premature end/)
})
