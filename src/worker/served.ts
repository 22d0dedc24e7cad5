/** Which queues a worker serves. */
export interface Served {
  /** In the order in which they are served. */
  readonly queues: readonly string[]
  /** Those of them that are not paused: jobs of others do not start. */
  readonly open: readonly string[]
  isOpen(queue: string): boolean
}

export function toServed(queues: readonly string[], isPaused: (queue: string) => boolean): Served {
  const open = queues.filter((queue) => !isPaused(queue))
  const known = new Set(open)
  return { queues, open, isOpen: (queue) => known.has(queue) }
}

export const noQueues: Served = toServed([], () => false)
