/** A worker process that gets into trouble, and how one learns what became of its job. */
export interface Faulty {
  /** Begins to take jobs. */
  work(): Promise<void>
  add(payload: Trouble): Promise<string>
  /** Resolves at the next start of a handler in this process. */
  nextStart(): Promise<void>
  /** Handlers that were started in this process. */
  starts(): Promise<number>
  /** The job's state once it has ended. */
  outcome(id: string): Promise<string | undefined>
  readonly [Name: string]: (...args: never[]) => Promise<unknown>
}

/** What the handler does. */
export interface Trouble {
  /** Works for so long the first time, and is done at once the second. */
  readonly workMs?: number
  /** Blocks the event loop for so long. */
  readonly blockMs?: number
}

/** The handler of both contenders. */
export function createTroubled() {
  let starts = 0
  let noticeStart: () => void = () => {}

  return {
    starts: async () => starts,
    nextStart: () =>
      new Promise<void>((resolve) => {
        noticeStart = resolve
      }),
    async run({ workMs, blockMs }: Trouble, isFirst: boolean): Promise<string> {
      starts += 1
      noticeStart()
      // The notice must leave before the event loop stands still.
      await pass(noticeMs)
      if (blockMs !== undefined) block(blockMs)
      if (workMs !== undefined && isFirst) await pass(workMs)
      return 'done'
    },
  }
}

const noticeMs = 50

/** As a long computation does, but it leaves the cores to the others. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
