import { afterEach, expect, test, vi } from 'vitest'
import { freePort } from '../support/server.js'
import { freshDatabase } from '../support/servers.js'
import { copyExample, endProcesses, run } from './example.js'

// Whole processes start here, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 })

afterEach(endProcesses)

test('hello greets in a job, and says how it goes', async () => {
  const port = await freePort()
  const hello = run(copyExample('hello'), 'app.ts', [], {
    PORT: String(port),
    CELERIAC_DATABASE_URL: await freshDatabase(),
  })
  await hello.says(/then follow its Location/)

  const accepted = await fetch(`http://localhost:${port}/greetings`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Ada' }),
  })

  expect(accepted.status).toBe(202)
  const location = accepted.headers.get('Location')
  const ended = await fetch(`http://localhost:${port}${location}?wait=15`)
  expect(await ended.json()).toMatchObject({ state: 'succeeded', result: { greeting: 'Hello, Ada!' } })
})
