import { now } from './now.js'
import type { Progress } from './runner.js'

/** What the handlers of a process tell of themselves. */
export function createLogBook() {
  const starts = new Map<number, number>()
  const asked = new Map<number, (startedAt: number) => void>()
  let progress: Progress = { ran: 0, firstAt: 0, lastAt: 0 }

  return {
    /** A job with a number has started. */
    started(number: number): void {
      const at = now()
      const answer = asked.get(number)
      if (!answer) starts.set(number, at)
      else answer(at)
      asked.delete(number)
    },
    startOf(number: number): Promise<number> {
      const at = starts.get(number)
      starts.delete(number)
      if (at !== undefined) return Promise.resolve(at)
      return new Promise((resolve) => asked.set(number, resolve))
    },
    /** A job has run. */
    ran(): void {
      const at = now()
      progress = { ran: progress.ran + 1, firstAt: progress.ran === 0 ? at : progress.firstAt, lastAt: at }
    },
    async progress(): Promise<Progress> {
      return progress
    },
    begin(): void {
      progress = { ran: 0, firstAt: 0, lastAt: 0 }
    },
  }
}
