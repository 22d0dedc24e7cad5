import { defineTask } from 'celeriac'
import { z } from 'zod'
import { pause } from '../../pace.js'
import { deliver, moods } from './server.js'

/** In a queue of its own: a worker for `-Q mail` alone serves letters however many reports wait. */
export const sendMail = defineTask({
  payload: z.object({ to: z.email(), mood: z.enum(moods).default('moody') }),
  queue: 'mail',
  attempts: 5,
  backoff: { type: 'exponential', delay: '300ms', max: '4s', jitter: 0.2 },
  timeLimit: '30s',
  async run({ to, mood }, { id, attempt, signal, progress }) {
    await progress({ note: `asking the mail server, attempt ${attempt}` })
    await pause(300, signal)
    await deliver({ id, to, subject: 'Your order is on its way' }, mood, attempt)
    return { to, attempt }
  },
})
