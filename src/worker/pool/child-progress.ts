import { isLonger, toJsonText } from '../../job/json.js'

export interface ChildProgress {
  report(value: unknown): Promise<void>
  /** Sends the last report, if it waits. */
  flush(): void
}

const intervalMs = 200

/** A handler's reports, sent a few times a second at most: at once where it can be, so that one which never returns to its event loop is seen, too. */
export function createChildProgress(
  maxBytes: number,
  send: (json: string) => void,
  onTooLarge: (reason: string) => void,
): ChildProgress {
  let sentAt = Number.NEGATIVE_INFINITY
  let latest: string | undefined
  let timer: NodeJS.Timeout | undefined
  let toldTooLarge = false

  return { report, flush }

  async function report(value: unknown): Promise<void> {
    const text = toJsonText(value)
    if ('reason' in text) throw new TypeError(`Progress cannot be kept: ${text.reason}`)
    if (isLonger(text.json, maxBytes)) return leaveOut(text.json)
    latest = text.json
    const waitMs = sentAt + intervalMs - performance.now()
    if (waitMs <= 0) flush()
    else timer ??= setTimeout(flush, waitMs)
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (latest === undefined) return
    const json = latest
    latest = undefined
    sentAt = performance.now()
    send(json)
  }

  function leaveOut(json: string): void {
    if (toldTooLarge) return
    toldTooLarge = true
    onTooLarge(`the report has ${Buffer.byteLength(json)} bytes of JSON, and the limit is ${maxBytes}`)
  }
}
