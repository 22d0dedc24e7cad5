import pg from 'pg'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { freshServers } from '../../support/lab.js'
import { api, openWeb } from './scene.js'

test('an export that breaks in the middle is cut off, and the log says why', async () => {
  const servers = await freshServers('postgres')
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => void lines.push(line) })
  const scene = await openWeb(servers, { options: { logger, worker: false } })
  onTestFinished(scene.close)
  const client = new pg.Client({ connectionString: servers.database })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query('ALTER TABLE celeriac.job RENAME TO away')

  const answer = await fetch(`${scene.url}${api}/job-export?format=csv`, { headers: { 'X-User': 'ann' } })

  expect(answer.status).toBe(200)
  await expect(answer.text()).rejects.toThrow()
  expect(lines.join('')).toMatch(/could not answer GET .*job-export/)
})
