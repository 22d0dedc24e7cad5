import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask, type TaskContext } from 'celeriac'
import { z } from 'zod'
import { note } from '../../effects.js'

/** Every payload carries the key that its client asked with, so that a request without an answer can be traced too. */
const payload = z.object({ key: z.string() })

/** What a row must hold in the end: which attempt returned, and in which process. */
interface Told {
  readonly attempt: number
  readonly pid: number
}

async function witnessed(key: string, context: TaskContext, work: () => unknown = () => {}): Promise<Told> {
  await note('start', key, context)
  try {
    await work()
  } catch (error) {
    await note('finish', key, context, false)
    throw error
  }
  await note('finish', key, context, true)
  return { attempt: context.attempt, pid: process.pid }
}

export const quick = defineTask({
  payload,
  run: ({ key }, context) => witnessed(key, context),
})

export const brief = defineTask({
  payload,
  run: ({ key }, context) => witnessed(key, context, () => sleep(50)),
})

/** Works for a while, and heeds its signal. */
export const slow = defineTask({
  payload: payload.extend({ ms: z.number() }),
  run: ({ key, ms }, context) =>
    witnessed(key, context, () => sleep(ms, undefined, { signal: context.signal })),
})

/** Works for a while, and hears nobody. */
export const deaf = defineTask({
  payload: payload.extend({ ms: z.number() }),
  run: ({ key, ms }, context) => witnessed(key, context, () => sleep(ms)),
})

/** Never comes to an end by itself, and hears nobody. */
export const endless = defineTask({
  payload,
  timeLimit: '1s',
  run: ({ key }, context) => witnessed(key, context, () => new Promise(() => {})),
})

/** Fails in its first attempts, then works. */
export const flaky = defineTask({
  payload: payload.extend({ failures: z.number() }),
  attempts: 5,
  backoff: { type: 'fixed', delay: '500ms' },
  run: ({ key, failures }, context) =>
    witnessed(key, context, () => {
      if (context.attempt <= failures) throw new Error('Not yet.')
    }),
})

/** Reports far more than anybody can read. */
export const chatty = defineTask({
  payload: payload.extend({ reports: z.number() }),
  run: ({ key, reports }, context) =>
    witnessed(key, context, async () => {
      for (let at = 0; at < reports; at += 1) {
        void context.progress({ at })
        if (at % 1000 === 0) await sleep(1)
      }
      for (let line = 0; line < 20; line += 1) context.log.info('x'.repeat(1_000_000))
    }),
})

/** Returns more than is kept. */
export const large = defineTask({
  payload,
  async run({ key }, context) {
    await witnessed(key, context)
    return 'x'.repeat(10_000_000)
  },
})

/** Takes its process down, each time. */
export const poison = defineTask({
  payload,
  run: ({ key }, context) => witnessed(key, context, () => process.kill(process.pid, 'SIGKILL')),
})

/** Ends its process the first time, as a careless library would. */
export const careless = defineTask({
  payload: payload.extend({ how: z.enum(['exit', 'uncaught', 'unhandled']) }),
  run: ({ key, how }, context) =>
    witnessed(key, context, async () => {
      if (context.attempt > 1) return
      if (how === 'exit') process.exit(7)
      if (how === 'unhandled') void Promise.reject(new Error('Rejected, and awaited by nobody.'))
      if (how === 'uncaught') setImmediate(throwUncaught)
      await sleep(60_000)
    }),
})

function throwUncaught(): never {
  throw new Error('Thrown where nobody catches.')
}
