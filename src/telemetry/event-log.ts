import type { Emitter } from './events.js'

interface Log {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** The lines that a worker's log has of its attempts. */
export function logEvents(events: Emitter, log: Log): void {
  events.on('job.succeeded', (event) =>
    log.info(facts(event), `${event.job.task} succeeded in ${event.ms} ms`),
  )
  events.on('job.retrying', (event) =>
    log.warn(
      facts(event),
      `${event.job.task} failed, next attempt in ${event.retryInMs} ms: ${event.error.message}`,
    ),
  )
  events.on('job.snoozed', (event) =>
    log.info(
      facts(event),
      `${event.job.task} asked to run again in ${event.retryInMs} ms${event.reason === null ? '' : `: ${event.reason}`}`,
    ),
  )
  events.on('job.failed', (event) =>
    log.error(
      { ...facts(event), stack: event.error.stack },
      `${event.job.task} failed${after(event.ms)}: ${event.error.message}`,
    ),
  )
  events.on('job.cancelled', (event) =>
    log.info(facts(event), `${event.job.task} was cancelled${after(event.ms)}`),
  )
}

interface Told {
  readonly job: { readonly id: string; readonly task: string; readonly requestId: string | null }
  readonly attempt: number
  readonly ms: number | null
}

function facts({ job, attempt, ms }: Told) {
  const { id, task, requestId } = job
  return {
    ...{ job: id, task, attempt },
    ...(requestId === null ? {} : { requestId }),
    ...(ms === null ? {} : { ms }),
  }
}

function after(ms: number | null): string {
  return ms === null ? '' : ` after ${ms} ms`
}
