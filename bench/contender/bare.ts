import express from 'express'
import { answer } from './answer.js'
import { listen } from './listen.js'

/** An Express route that only answers 202. */
const operations = {
  serve() {
    const app = express()
    app.post('/accept', (_req, res) => {
      res.sendStatus(202)
    })
    return listen(app)
  },
}

export type Operations = typeof operations
answer(operations)
