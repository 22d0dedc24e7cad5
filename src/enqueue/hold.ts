/**
 * Keeps the process alive while a call is under way.
 *
 * All our sockets and timers are unreferenced, so that a script which enqueues and ends does not hang. What a caller
 * waits for must hold the process by itself.
 */
export interface Hold {
  during<T>(work: Promise<T>): Promise<T>
  /** The same by hand, for the hot path: each `enter` needs its `leave`. */
  enter(): void
  leave(): void
  close(): void
}

const longest = 2 ** 31 - 1

export function createHold(): Hold {
  const timer = setInterval(() => {}, longest)
  timer.unref()
  let held = 0

  function enter(): void {
    held += 1
    if (held === 1) timer.ref()
  }

  function leave(): void {
    held -= 1
    if (held === 0) timer.unref()
  }

  return {
    enter,
    leave,
    async during(work) {
      enter()
      try {
        return await work
      } finally {
        leave()
      }
    },
    close() {
      clearInterval(timer)
    },
  }
}
