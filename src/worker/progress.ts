import { isLonger, toJsonText } from '../job/json.js'

/** A handler's reports, written a few times a second at most, the last one always. */
export interface Progress {
  report(value: unknown): Promise<void>
  readonly pending: boolean
  /** Resolves when the last report is written. */
  flushed(): Promise<void>
}

export interface ProgressOptions {
  /** Of a report as JSON, in UTF-8. A larger one is left out. */
  readonly maxBytes: number
  readonly save: (json: string) => Promise<void>
  /** Told of the first report that was left out. */
  readonly onTooLarge: (reason: string) => void
}

const intervalMs = 200

/** A report that cannot be written is no reason to fail the work; one that JSON cannot carry is the handler's error. */
export function createProgress({ maxBytes, save, onTooLarge }: ProgressOptions): Progress {
  let latest: string | undefined
  let writing: Promise<void> | undefined
  let hurried = false
  let wake: (() => void) | undefined
  let toldTooLarge = false

  return {
    async report(value) {
      // The attempt is over; whatever still reports must not hold its end up.
      if (hurried) return
      const text = toJsonText(value)
      if ('reason' in text) throw new TypeError(`Progress cannot be kept: ${text.reason}`)
      if (isLonger(text.json, maxBytes)) return leaveOut(text.json)
      latest = text.json
      writing ??= write()
    },
    get pending() {
      return writing !== undefined
    },
    async flushed() {
      hurried = true
      wake?.()
      await writing
    },
  }

  function leaveOut(json: string): void {
    if (toldTooLarge) return
    toldTooLarge = true
    onTooLarge(`the report has ${Buffer.byteLength(json)} bytes of JSON, and the limit is ${maxBytes}`)
  }

  async function write(): Promise<void> {
    while (latest !== undefined) {
      const json = latest
      latest = undefined
      await save(json).catch(() => {})
      if (hurried) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervalMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    writing = undefined
  }
}
