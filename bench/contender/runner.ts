/** A process that runs jobs, as a worker process does. */
export interface Runner {
  /** Begins to take jobs. */
  work(concurrency: number): Promise<void>
  /** When the job with this number started, once it has. */
  startOf(number: number): Promise<number>
  /** What was run since `work`. */
  progress(): Promise<Progress>
  /** Takes no more jobs, and resolves when those it has are done. */
  stop(): Promise<void>
  readonly [Name: string]: (...args: never[]) => Promise<unknown>
}

export interface Progress {
  readonly ran: number
  readonly firstAt: number
  readonly lastAt: number
}
