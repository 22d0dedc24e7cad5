import { fileURLToPath } from 'node:url'
import { type Celeriac, type CeleriacOptions, celeriac } from 'celeriac'
import express, { type ErrorRequestHandler, type Express } from 'express'
import config from './celeriac.config.js'
import { sendMail } from './modules/mail/tasks.js'
import { pictures } from './modules/media/routes.js'
import { buildReport } from './modules/reports/tasks.js'
import { Refusal } from './refusal.js'

export interface Shop {
  readonly app: Express
  readonly jobs: Celeriac
}

/** The shop's web app. Its jobs run where `celeriac worker` runs, or in this process with the option `worker`. */
export function openShop(options: Pick<CeleriacOptions, 'worker' | 'logger'> = {}): Shop {
  const jobs = celeriac({ ...config, ...options })
  const app = express()
  app.disable('x-powered-by')
  app.use(jobs)
  app.use('/pictures', pictures)
  app.post('/reports', jobs.accept(buildReport))
  app.post('/mail', jobs.accept(sendMail))
  app.use(express.static(page, { setHeaders: protect }))
  app.use(() => {
    throw new Refusal(404, 'There is nothing here.')
  })
  app.use(jobs.problems(), refuse)
  return { app, jobs }
}

const page = fileURLToPath(new URL('public', import.meta.url))

/** All that the page needs comes from here. */
function protect(res: { setHeader(name: string, value: string): void }): void {
  res.setHeader('Content-Security-Policy', "default-src 'self'; frame-ancestors 'none'; base-uri 'none'")
  res.setHeader('X-Content-Type-Options', 'nosniff')
}

/** Says a refusal in the words that `jobs.problems()` uses for Celeriac's own (RFC 9457). All else is Express's. */
const refuse: ErrorRequestHandler = (error, _req, res, next) => {
  if (!(error instanceof Refusal) || res.headersSent) return next(error)
  res.status(error.status).type('application/problem+json')
  res.send(JSON.stringify({ status: error.status, detail: error.message }))
}
