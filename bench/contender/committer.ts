/** A process that commits rows of its own together with a job. */
export interface Committer {
  open(): Promise<void>
  /** One transaction, with one job. */
  commit(number: number): Promise<Commit>
  close(): Promise<void>
  readonly [Name: string]: (...args: never[]) => Promise<unknown>
}

export interface Commit {
  /** When the app's own statements were done, and the commit was about to be sent. */
  readonly sentAt: number
  /** When the transaction was known to be committed. */
  readonly committedAt: number
}
