import type { Caller } from './caller.js'

/** A web process: it puts jobs into the queue, and runs none. */
export interface Web extends Caller {
  open(): Promise<void>
  /** Serves an accepting route, and gives the server's address. */
  serve(): Promise<string>
  /** Puts so many jobs into a new queue, with nothing else there. The process must not be open. */
  fill(count: number): Promise<void>
  /** Resolves when no job waits or runs, and all results are where they are kept. */
  ended(): Promise<void>
  close(): Promise<void>
}
