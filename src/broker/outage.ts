/** What the broker says in the log. A pino logger fits. */
export interface BrokerLog {
  info(message: string): void
  warn(message: string): void
}

/**
 * Whether a server is away. However often it is tried meanwhile, its going and its return are told once each; one that
 * goes again at once has not returned.
 */
export interface Outage {
  /** What happened last, while the server is away. */
  readonly error: Error | undefined
  began(error: Error): void
  /** It is certainly there again. */
  ended(): void
  /** It gave an answer, which may have been under way before the trouble began. */
  answered(): void
  /** Says nothing more: what a connection complains of while it is closed is of no interest. */
  silence(): void
}

/** The longest that an answer is under way. */
const underWayMs = 1000
const calmMs = 2000

export function createOutage(server: string, log: BrokerLog): Outage {
  let current: Error | undefined
  let beganAt = 0
  /** Runs while all is well again and nobody has been told yet. */
  let calming: NodeJS.Timeout | undefined
  let silent = false

  return {
    get error() {
      return calming ? undefined : current
    },
    began(error) {
      const isNew = current === undefined
      if (isNew || calming) beganAt = performance.now()
      current = error
      clearTimeout(calming)
      calming = undefined
      if (isNew && !silent)
        log.warn(`${server} is in trouble: ${messageOf(error)}. It is tried again until it answers.`)
    },
    ended,
    answered() {
      if (current !== undefined && performance.now() - beganAt > underWayMs) ended()
    },
    silence() {
      silent = true
    },
  }

  function ended(): void {
    if (current === undefined) return
    calming ??= setTimeout(tell, calmMs).unref()
  }

  function tell(): void {
    calming = undefined
    current = undefined
    if (!silent) log.info(`${server} answers again.`)
  }
}

/** Node's error for a host with several addresses has its messages inside, and none itself. */
export function messageOf(error: Error): string {
  const inner =
    error instanceof AggregateError ? error.errors.find((each) => each instanceof Error) : undefined
  const text = error.message || inner?.message || error.name
  return text.replace(/\.$/, '')
}
