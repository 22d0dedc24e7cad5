import { settingNames } from '../../control/settings.js'
import type { LiveWorker, QueueCount } from '../../store/store.js'
import type { DashboardDeps } from '../dashboard.js'
import { type Tab, tabOf, tabs } from './tab.js'

/** What the board shows of a queue at a glance. */
export interface QueueReading {
  readonly name: string
  readonly counts: Readonly<Record<Tab, number>>
  readonly isPaused: boolean
  /** Those that serve it. */
  readonly workers: readonly LiveWorker[]
}

export interface Readings {
  /** All queues that there are, or the one of that name if there is such. */
  queues(name?: string): Promise<QueueReading[]>
  /** After a change, so that the next look sees it. */
  forget(): void
}

/** Every open page of every visitor looks every few seconds: they share one look. */
const freshMs = 1000

export function createReadings({ backend, config }: DashboardDeps): Readings {
  let reading: Promise<QueueReading[]> | undefined
  let readAt = 0

  return {
    async queues(name) {
      const all = await read()
      if (name === undefined) return all
      const found = named(name, all)
      // A queue may be younger than the last look.
      return found.length > 0 ? found : named(name, await look())
    },
    forget() {
      reading = undefined
    },
  }

  function read(): Promise<QueueReading[]> {
    return reading && performance.now() - readAt < freshMs ? reading : look()
  }

  function look(): Promise<QueueReading[]> {
    const looking = readQueues()
    readAt = performance.now()
    reading = looking
    looking.catch(() => {
      if (reading === looking) reading = undefined
    })
    return looking
  }

  async function readQueues(): Promise<QueueReading[]> {
    const { store } = await backend()
    const [known, workers, settings] = await Promise.all([
      store.knownQueues(),
      store.liveWorkers(),
      store.settings(),
    ])
    const set = new Set(settings.map(({ name }) => name))
    const names = [...new Set([config.queue, ...(config.workerProcess.queues ?? []), ...known])].sort()
    const counts = await store.countJobs(names)
    return names.map((name) => ({
      name,
      counts: countsOf(name, counts),
      isPaused: set.has(settingNames.pause(name)),
      workers: workers.filter(({ queues }) => queues.includes(name)),
    }))
  }
}

function named(name: string, queues: readonly QueueReading[]): QueueReading[] {
  return queues.filter((queue) => queue.name === name)
}

function countsOf(queue: string, counts: readonly QueueCount[]): Record<Tab, number> {
  const byTab = Object.fromEntries(tabs.map((tab) => [tab, 0])) as Record<Tab, number>
  for (const { state, count, queue: counted } of counts) if (counted === queue) byTab[tabOf[state]] += count
  return byTab
}
