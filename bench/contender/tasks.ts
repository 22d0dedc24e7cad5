import { defineTask } from 'celeriac'
import { z } from 'zod'
import { createLogBook } from './log-book.js'

export const logBook = createLogBook()

/** What most jobs of the bench are. */
const build = defineTask({
  payload: z.object({ month: z.string() }),
  run() {
    logBook.ran()
    return { url: '/2026-11.pdf' }
  },
})

/** A job that is told apart from others. */
const mark = defineTask({
  payload: z.object({ number: z.number() }),
  run({ number }) {
    logBook.started(number)
    return { url: '/2026-11.pdf' }
  },
})

/** The tasks that web and worker processes have in common. */
export const tasks = { bench: { build, mark } }
