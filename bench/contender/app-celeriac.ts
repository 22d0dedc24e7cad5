import { celeriac } from 'celeriac'
import express from 'express'
import { answer, readSettings } from './answer.js'
import type { CeleriacSettings } from './celeriac.js'
import { listen } from './listen.js'

// The same small app with Celeriac, from start to ready: tasks found, both servers answer.
const { modules, ...servers } = readSettings<CeleriacSettings & { modules: string }>()
const jobs = celeriac({
  ...('root' in servers
    ? { root: servers.root, embedded: true }
    : { database: servers.databaseUrl, broker: servers.redisUrl }),
  modules,
  migrate: true,
  logger: 'silent',
})
const app = express()
app.use(jobs)
app.get('/', (_req, res) => {
  res.json({ ok: true })
})
await listen(app)
await jobs.ready()
answer({})
