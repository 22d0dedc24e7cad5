import { createServer } from 'node:http'
import { celeriac } from 'celeriac'
import express from 'express'
import config from './celeriac.config.js'
import * as work from './modules/work/tasks.js'

// The web process: one accepting route a task, and the same by hand.
const app = express()
const jobs = celeriac(config)
app.use(jobs)

for (const [name, task] of Object.entries(work)) {
  app.post(`/accept/${name}`, jobs.accept(task as typeof work.quick, { options: readDelay }))
  app.post(`/by-hand/${name}`, express.json(), async (req, res) => {
    const key = req.get('Idempotency-Key')
    const job = await req.enqueue(task.name ?? '', req.body, key === undefined ? {} : { idempotencyKey: key })
    res.accepted(job)
  })
}
app.post('/retry/:id', async (req, res) => {
  res.json({ retried: await jobs.retry(req.params.id) })
})
app.use(jobs.problems())

const server = createServer(app)
server.listen(Number(process.env.FAULTS_PORT), '127.0.0.1', () => console.log('web is ready'))

process.once('SIGTERM', async () => {
  server.close()
  server.closeIdleConnections()
  await jobs.close()
  process.exit(0)
})

function readDelay(req: express.Request): { delay?: number } {
  const delay = req.get('X-Delay')
  return delay === undefined ? {} : { delay: Number(delay) }
}
