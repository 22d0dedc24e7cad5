import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** How the process fares, second by second. */
export interface Vitals {
  /** Milliseconds: the worst p99 of a second of what the event loop was late, in the last `seconds`. */
  loopDelayMs(seconds: number): number
  /** Part of one core that the process used on average in the last `seconds`. */
  cpu(seconds: number): number
  close(): void
}

interface Second {
  readonly loopDelayMs: number
  readonly cpu: number
}

const everyMs = 1000
const resolutionMs = 20
/** So many seconds are remembered. */
const reach = 10

export function createVitals(): Vitals {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  const seconds: Second[] = []
  let usedAt = performance.now()
  let used = process.cpuUsage()
  delays.enable()
  const timer = setInterval(look, everyMs)
  timer.unref()

  return {
    loopDelayMs: (count) => Math.max(0, ...last(count).map((second) => second.loopDelayMs)),
    cpu(count) {
      const found = last(count)
      return found.reduce((sum, second) => sum + second.cpu, 0) / Math.max(1, found.length)
    },
    close() {
      clearInterval(timer)
      delays.disable()
    },
  }

  function look(): void {
    const now = performance.now()
    const { user, system } = process.cpuUsage(used)
    // It measures from tick to tick of its own timer.
    const late = Math.max(0, delays.percentile(99) / 1e6 - resolutionMs)
    seconds.push({ loopDelayMs: round(late), cpu: round((user + system) / 1000 / Math.max(1, now - usedAt)) })
    if (seconds.length > reach) seconds.shift()
    usedAt = now
    used = process.cpuUsage()
    delays.reset()
  }

  function last(count: number): readonly Second[] {
    return seconds.slice(-count)
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
