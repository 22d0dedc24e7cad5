import { celeriac } from 'celeriac'
import express from 'express'
import { answer, readSettings } from './answer.js'
import { listen } from './listen.js'
import { optionsFor, type Place } from './place.js'

// The same small app with Celeriac, from start to ready: tasks found, both servers answer.
const { modules, root, ...place } = readSettings<Place & { modules: string; root: string }>()
const jobs = celeriac({
  ...optionsFor('redisUrl' in place ? place : { ...place, root }),
  root,
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
