import express from 'express'
import { answer } from './answer.js'
import { listen } from './listen.js'

// A small Express app, from start to ready.
const app = express()
app.get('/', (_req, res) => {
  res.json({ ok: true })
})
await listen(app)
answer({})
