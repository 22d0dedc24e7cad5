/** The longest time that Node's timers know. A longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** A timer for any length of time. */
export interface LongTimer {
  cancel(): void
  /** Lets the process end before it fires. */
  unref(): LongTimer
}

/** As `setTimeout`, for more than 25 days too: it is armed anew until the time is over. */
export function startTimer(ms: number, fire: () => void): LongTimer {
  let left = ms
  let referenced = true
  let timer = arm()
  const long: LongTimer = {
    cancel: () => clearTimeout(timer),
    unref() {
      referenced = false
      timer.unref()
      return long
    },
  }
  return long

  function arm(): NodeJS.Timeout {
    const part = Math.min(left, longestTimerMs)
    left -= part
    const next = setTimeout(left > 0 ? rearm : fire, part)
    return referenced ? next : next.unref()
  }

  function rearm(): void {
    timer = arm()
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** As {@link sleep}, and keeps no process alive. */
export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => {
    startTimer(ms, resolve).unref()
  })
}

/** Waits for `work`, at most so long, and leaves no timer behind. What comes of it is the caller's to look at. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: LongTimer | undefined
  const late = new Promise<void>((resolve) => {
    timer = startTimer(ms, resolve)
  })
  try {
    await Promise.race([work, late])
  } finally {
    timer?.cancel()
  }
}

/** The answer of `work`, or an error when it takes longer. Keeps no process alive. */
export function answerWithin<T>(
  ms: number,
  work: Promise<T>,
  late: () => Error = () => new Error(`no answer within ${ms} ms`),
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = startTimer(ms, () => reject(late())).unref()
    work.then(resolve, reject).finally(timer.cancel)
  })
}
