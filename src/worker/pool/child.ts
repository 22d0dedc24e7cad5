import type { FromChild, ToChild } from './message.js'

/** A thread or process that runs one attempt after another. */
export interface Child {
  /** What it was told while it was not there is lost: its end is told. */
  send(message: ToChild): void
  /** Ends it at once, whatever it does. Resolves when it is gone, or when it cannot be ended. */
  kill(): Promise<void>
}

export interface ChildListener {
  onMessage(message: FromChild): void
  /** Once, when it is gone. */
  onEnd(end: ChildEnd): void
}

export interface ChildEnd {
  readonly exitCode: number | null
  readonly signal: string | null
  /** What the runtime says of it: memory that ran out, a program that cannot be started. */
  readonly error?: Error
}
