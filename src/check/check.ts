import type { Facts } from './facts.js'

/** What one look at a set-up found. */
export type Verdict =
  | { readonly level: 'ok'; readonly message: string }
  /** It works, and somebody should know. */
  | { readonly level: 'warning'; readonly message: string; readonly cure: string }
  /** It does not work, or will not for long. */
  | { readonly level: 'fault'; readonly message: string; readonly cure: string }

/** Judges one thing by what is known. It asks nobody. */
export interface Check {
  readonly id: string
  readonly title: string
  /** `undefined`: it cannot be judged, since something else is missing, or there is nothing to judge. */
  judge(facts: Facts): Verdict | undefined
}

export interface Finding {
  readonly id: string
  readonly title: string
  readonly level: Verdict['level'] | 'skipped'
  /** Empty when it was not judged. */
  readonly message: string
  /** What to do; not for what is well. */
  readonly cure?: string
}

export function judgeAll(checks: readonly Check[], facts: Facts): Finding[] {
  return checks.map((check) => {
    const { id, title } = check
    const verdict = check.judge(facts)
    return verdict ? { id, title, ...verdict } : { id, title, level: 'skipped', message: '' }
  })
}

/** A message of ours says first what is wrong, and then what to do. */
export function inTwo(message: string, otherCure: string): [message: string, cure: string] {
  const at = message.search(/(?<=[.?)])\s+(?=[A-Z])/)
  if (at === -1) return [message, otherCure]
  return [message.slice(0, at), message.slice(at).trim()]
}

export function ok(message: string): Verdict {
  return { level: 'ok', message }
}

export function warning(message: string, cure: string): Verdict {
  return { level: 'warning', message, cure }
}

export function fault(message: string, cure: string): Verdict {
  return { level: 'fault', message, cure }
}
