import type { EnqueueBody } from '../../../api/contract.js'
import { toTime } from '../limits/limit-texts.js'

/** What may be said of a job that is run by hand, as it is typed. Empty: as the task has it. */
export interface RunOptions {
  readonly delay: string
  readonly expiresIn: string
  readonly timeLimit: string
  readonly queue: string
  readonly priority: string
  readonly attempts: string
  readonly owner: string
  /** By commas. */
  readonly tags: string
}

export const usualRun: RunOptions = Object.freeze({
  ...{ delay: '', expiresIn: '', timeLimit: '', queue: '', priority: '', attempts: '', owner: '', tags: '' },
})

/** What is wrong with one, by its name. */
export function runFaults(options: RunOptions): Readonly<Partial<Record<keyof RunOptions, string>>> {
  const times = (['delay', 'expiresIn', 'timeLimit'] as const).flatMap((name) =>
    options[name].trim() === '' || toTime(options[name]) !== undefined
      ? []
      : [[name, 'A time, as 30s, 5m or 2h.'] as const],
  )
  const isWhole = (text: string) => text.trim() === '' || /^\d{1,9}$/.test(text.trim())
  return {
    ...Object.fromEntries(times),
    ...(isWhole(options.priority)
      ? {}
      : { priority: 'A whole number, 0 or more; a larger one waits longer.' }),
    ...(isWhole(options.attempts) && options.attempts.trim() !== '0'
      ? {}
      : { attempts: 'A whole number, 1 or more.' }),
  }
}

/** @param payload `undefined`: none */
export function runBody(payload: unknown, options: RunOptions): EnqueueBody {
  const said = (name: keyof RunOptions) => options[name].trim()
  const tags = said('tags')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  return {
    ...(payload === undefined ? {} : { payload }),
    ...(said('delay') === '' ? {} : { delay: said('delay') }),
    ...(said('expiresIn') === '' ? {} : { expiresIn: said('expiresIn') }),
    ...(said('timeLimit') === '' ? {} : { timeLimit: said('timeLimit') }),
    ...(said('queue') === '' ? {} : { queue: said('queue') }),
    ...(said('priority') === '' ? {} : { priority: Number(said('priority')) }),
    ...(said('attempts') === '' ? {} : { attempts: Number(said('attempts')) }),
    ...(tags.length === 0 ? {} : { tags }),
    // Management enqueues for nobody, unless it says for whom.
    owner: said('owner') === '' ? null : said('owner'),
  }
}
