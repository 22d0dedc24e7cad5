/** What the broker says in the log. A pino logger fits. */
export interface BrokerLog {
  info(message: string): void
  warn(message: string): void
}

/** Whether a server is away. However often it is tried meanwhile, its going and its return are told once each. */
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
  /** Calls `listener` once an outage, and at once when there is one. */
  onBegin(listener: (error: Error) => void): () => void
}

/** The longest that an answer is under way. */
const underWayMs = 1000

export function createOutage(server: string, log: BrokerLog): Outage {
  const listeners = new Set<(error: Error) => void>()
  let current: Error | undefined
  let beganAt = 0
  let silent = false

  return {
    get error() {
      return current
    },
    began(error) {
      const isNew = current === undefined
      current = error
      if (!isNew || silent) return
      beganAt = performance.now()
      log.warn(`${server} is in trouble: ${messageOf(error)}. It is tried again until it answers.`)
      for (const listener of listeners) listener(error)
    },
    ended,
    answered() {
      if (current !== undefined && performance.now() - beganAt > underWayMs) ended()
    },
    silence() {
      silent = true
    },
    onBegin(listener) {
      listeners.add(listener)
      if (current) listener(current)
      return () => listeners.delete(listener)
    },
  }

  function ended(): void {
    if (current === undefined) return
    current = undefined
    if (silent) return
    log.info(`${server} answers again.`)
  }
}

/** Node's error for a host with several addresses has its messages inside, and none itself. */
export function messageOf(error: Error): string {
  const inner =
    error instanceof AggregateError ? error.errors.find((each) => each instanceof Error) : undefined
  const text = error.message || inner?.message || error.name
  return text.replace(/\.$/, '')
}
