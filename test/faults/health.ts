import { ask } from './client.js'
import type { Link } from './plan.js'

/** What a web process that was cut off said of itself. */
export interface Health {
  readonly link: Link
  /** From the cut to the first answer that was not `ok`. */
  readonly toldMs?: number
  readonly answers: number
}

export interface HealthWatch {
  stop(): Omit<Health, 'link'>
}

const everyMs = 250

/** Asks a process again and again how it is, from now on. */
export function watchHealth(url: string): HealthWatch {
  const began = Date.now()
  let toldMs: number | undefined
  let answers = 0
  let stopped = false
  void look()

  return {
    stop() {
      stopped = true
      return { answers, ...(toldMs === undefined ? {} : { toldMs }) }
    },
  }

  async function look(): Promise<void> {
    while (!stopped) {
      const status = await healthOf(url)
      if (status !== undefined) answers += 1
      if (status !== undefined && status !== 'ok') toldMs ??= Date.now() - began
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }
}

/** `ok`, `degraded` or `down`. Left out: there was no such answer. */
export async function healthOf(url: string): Promise<string | undefined> {
  const { body } = await ask(`${url}/jobs/health`, { timeoutMs: 5000 })
  const status = (body as { status?: unknown } | undefined)?.status
  return typeof status === 'string' ? status : undefined
}
