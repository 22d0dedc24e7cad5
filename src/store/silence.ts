import { rest } from '../waiting.js'

/**
 * Remembers that the server keeps silent, so that not each caller waits for a deadline to learn it.
 *
 * One statement that was slow proves nothing: a probe is asked first. It is asked again until the server says anything
 * at all, and then callers may ask for themselves.
 */
export interface Silence {
  /** What it was suspected for, while it lasts. */
  readonly error: Error | undefined
  suspect(error: Error): void
  close(): void
}

export interface SilenceDeps {
  readonly probe: () => Promise<void>
  readonly isSilent: (error: unknown) => boolean
}

const pauseMs = 500

export function createSilence({ probe, isSilent }: SilenceDeps): Silence {
  let current: Error | undefined
  let listening = false
  let closed = false

  return {
    get error() {
      return current
    },
    suspect(error) {
      if (listening || closed) return
      listening = true
      void listen(error)
    },
    close() {
      closed = true
      current = undefined
    },
  }

  async function listen(error: Error): Promise<void> {
    while (!(await isHeard()) && !closed) {
      current = error
      await rest(pauseMs)
    }
    current = undefined
    listening = false
  }

  function isHeard(): Promise<boolean> {
    return probe().then(
      () => true,
      (error: unknown) => !isSilent(error),
    )
  }
}
