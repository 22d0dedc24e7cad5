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
  ended(): void
  /** Calls `listener` once an outage, and at once when there is one. */
  onBegin(listener: (error: Error) => void): () => void
}

export function createOutage(server: string, log: BrokerLog): Outage {
  const listeners = new Set<(error: Error) => void>()
  let current: Error | undefined

  return {
    get error() {
      return current
    },
    began(error) {
      const isNew = current === undefined
      current = error
      if (!isNew) return
      log.warn(`${server} is in trouble: ${messageOf(error)}. It is tried again until it answers.`)
      for (const listener of listeners) listener(error)
    },
    ended() {
      if (current === undefined) return
      current = undefined
      log.info(`${server} answers again.`)
    },
    onBegin(listener) {
      listeners.add(listener)
      if (current) listener(current)
      return () => listeners.delete(listener)
    },
  }
}

/** Node's error for a host with several addresses has its messages inside, and none itself. */
export function messageOf(error: Error): string {
  const inner =
    error instanceof AggregateError ? error.errors.find((each) => each instanceof Error) : undefined
  const text = error.message || inner?.message || error.name
  return text.replace(/\.$/, '')
}
