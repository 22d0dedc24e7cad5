/**
 * How many jobs wait, between two looks at the store: what was counted, and what this process has let in since, less what
 * the workers take.
 *
 * They are believed to take as many as they did between the last two looks. Without that, a queue that is drained
 * quickly would let in no more than its limit between two looks. Where nothing is taken, nothing is believed.
 */
export class Gauge {
  #counted = 0
  /** Let in and not yet written, when the last look began: the look may have seen them or not. */
  #carried = 0
  #entered = 0
  #pending = 0
  #takenPerMs = 0
  #beganAt = Number.NEGATIVE_INFINITY
  #next: { readonly at: number; readonly carried: number; readonly entered: number } | undefined

  /** Jobs are about to be written. */
  enter(jobs: number): void {
    this.#entered += jobs
    this.#pending += jobs
  }

  /** They have been written, or were not. */
  leave(jobs: number): void {
    this.#pending -= jobs
  }

  beginLook(now: number): void {
    this.#next = { at: now, carried: this.#pending, entered: this.#entered }
  }

  /** @param isRecent whether the look before is young enough to be compared with */
  endLook(counted: number, isRecent: boolean): void {
    const look = this.#next
    if (!look) return
    const taken = this.#counted + look.entered - look.carried - counted
    this.#takenPerMs = isRecent ? Math.max(0, taken) / Math.max(1, look.at - this.#beganAt) : 0
    this.#counted = counted
    this.#carried = look.carried
    this.#entered -= look.entered
    this.#beganAt = look.at
    this.#next = undefined
  }

  abandonLook(): void {
    this.#next = undefined
  }

  /** @param longestMs for how long what the workers did before is believed of them */
  expected(now: number, longestMs: number): number {
    const taken = this.#takenPerMs * Math.min(Math.max(0, now - this.#beganAt), longestMs)
    return Math.max(0, Math.floor(this.#counted + this.#carried + this.#entered - taken))
  }
}
