import { UnknownTaskError } from '../errors.js'
import { suggest } from '../job/suggest.js'
import type { Store } from '../store/store.js'
import { readAnnouncements, type TaskAnnouncement } from '../task/announcement.js'

/** A task that this process has no code of, as workers tell of it. */
export interface AnnouncedTask extends TaskAnnouncement {
  readonly name: string
}

/** Knows the tasks of live workers, and of those that went in the last days. */
export interface Announced {
  /**
   * By name or alias. Asks the store at most every few seconds.
   * @throws {UnknownTaskError} with the nearest name of all that are known
   */
  get(name: string): Promise<AnnouncedTask>
}

export interface AnnouncedDeps {
  readonly ask: Store['announcedTasks']
  /** Tasks whose code is here. */
  readonly ownNames: () => readonly string[]
  /** Milliseconds of a clock that never goes back. Default: that of the process. */
  readonly now?: () => number
}

/** A worker's settings are not looked at anew for so long. */
const freshMs = 5000
/** Who asks for what nobody knows does not make it a question each time. */
const missedMs = 500

export function createAnnounced({ ask, ownNames, now = () => performance.now() }: AnnouncedDeps): Announced {
  let known = new Map<string, AnnouncedTask>()
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | undefined

  return {
    async get(name) {
      const present = await look(name)
      if (present) return present
      const names = [...new Set([...ownNames(), ...known.keys()])]
      throw new UnknownTaskError(name.slice(0, longestShown), suggest(name, names), whoKnows())
    },
  }

  async function look(name: string): Promise<AnnouncedTask | undefined> {
    const age = now() - askedAt
    if (age > freshMs || (age > missedMs && !known.has(name))) {
      asking ??= read().finally(() => {
        asking = undefined
      })
      await asking
    }
    return known.get(name)
  }

  async function read(): Promise<void> {
    const tasks = new Map<string, AnnouncedTask>()
    // The newest come first, and say how it is.
    for (const text of await ask()) {
      for (const [name, announcement] of Object.entries(readAnnouncements(text))) {
        const task = { ...announcement, name }
        for (const each of [name, ...(announcement.aliases ?? [])])
          if (!tasks.has(each)) tasks.set(each, task)
      }
    }
    known = tasks
    askedAt = now()
  }

  function whoKnows(): string {
    if (known.size === 0)
      return 'This process has no code of it, and no worker has announced any tasks yet: start one, and it can be enqueued by name.'
    return 'Neither this process has code of it, nor has a worker announced it in the last days.'
  }
}

const longestShown = 200
