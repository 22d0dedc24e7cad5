import { createResponder } from '../control/responder.js'
import type { Settings } from '../control/settings.js'
import type { WorkerReport } from '../control/verbs.js'
import type { Store } from '../store/store.js'
import { createAutoscaler } from './autoscaler.js'
import type { Condition } from './condition.js'
import { startReports, statsOf } from './report.js'
import { createResponses } from './responses.js'
import { type Course, createSteering } from './steering.js'
import { createVitals } from './vitals.js'
import type { Worker } from './worker.js'

export interface AttendDeps {
  readonly worker: Worker
  /** How it is, as it sees itself. */
  readonly condition: Condition
  /** What configuration and flags say. */
  readonly base: Course
  /** Handlers run in this event loop. */
  readonly isInline: boolean
  readonly settings: Settings
  readonly store: Pick<
    Store,
    | 'settings'
    | 'replaceSetting'
    | 'setSetting'
    | 'changeWorker'
    | 'reportWorker'
    | 'load'
    | 'commandsFor'
    | 'addReply'
    | 'onCommand'
  >
  /** Reads anew what was set. */
  readonly learn: () => Promise<void>
  readonly taskNames: () => readonly string[]
  /** Its options, without secrets. */
  readonly conf: Readonly<Record<string, unknown>>
  readonly report: () => WorkerReport
  readonly shutdown: (now: boolean) => 'ends' | 'stays'
  readonly log: { level: string; info(message: string): void; warn(message: string): void }
}

/** All that stands around a worker while it runs: it obeys commands, scales itself, and says how it is. */
export interface Attendance {
  /** Says at once how the worker is, so that nobody waits for its first word. */
  report(): void
  /** Resolves when nothing that it was asked is under way. */
  close(): Promise<void>
}

export function attend(deps: AttendDeps): Attendance {
  const { worker, store, log } = deps
  const vitals = createVitals()
  const steering = createSteering(deps)
  const stats = { ...deps, steering, vitals }
  const autoscaler = createAutoscaler({
    ...{ worker, store, vitals, isInline: deps.isInline },
    range: () => steering.course.autoscale,
    resize(concurrency, why) {
      log.info(`Autoscale: ${concurrency} at once, for ${why}.`)
      steering.resize(concurrency)
    },
  })
  const responder = createResponder({
    store,
    log,
    workerId: () => worker.id,
    responses: createResponses({ ...deps, steering, stats: () => statsOf(stats) }),
  })
  const reports = startReports({ ...stats, onAsked: responder.look })

  return {
    report: reports.now,
    async close() {
      autoscaler.close()
      reports.close()
      steering.close()
      await responder.close()
      vitals.close()
    },
  }
}
