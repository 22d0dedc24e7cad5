import { celeriac, defineTask } from 'celeriac'
import express from 'express'
import { z } from 'zod'

export const greet = defineTask({
  payload: z.object({ name: z.string() }),
  async run({ name }, { progress }) {
    await progress({ percent: 50 })
    await new Promise((resolve) => setTimeout(resolve, 1000))
    return { greeting: `Hello, ${name}!` }
  },
})

const jobs = celeriac({ tasks: { hello: { greet } }, worker: true })
const app = express()
app.use(jobs)
app.post('/greetings', jobs.accept(greet))

const port = process.env.PORT ?? 3000
app.listen(port, () => {
  console.log(`curl -i localhost:${port}/greetings --json '{"name":"Ada"}'   then follow its Location`)
})
