/** What a dashboard is to look at. */
export interface DashboardSizes {
  /** Jobs that have ended in the last 30 days, evenly. Each fiftieth failed, with its error and two attempts before. */
  readonly finished: number
  /** Queued since a while ago, with a delivery each. */
  readonly waiting: number
  /** Each task has jobs in each queue. */
  readonly queues: number
  readonly tasks: number
  /** Live ones, as far as anybody can see: no process is behind them. Each runs three jobs. */
  readonly workers: number
}

export const usualSizes: DashboardSizes = Object.freeze({
  ...{ finished: 5_000_000, waiting: 100_000, queues: 10, tasks: 5, workers: 20 },
})

/** How far back jobs and charts reach. */
export const daysFilled = 30
/** Jobs that each worker runs. */
export const runningOnEach = 3
/** Of so many finished jobs one failed. */
export const failedOneIn = 50

/** How they are called, by number from 0. */
export const filledTask = (number: number) => `shop.task${number}`
export const filledQueue = (number: number) => `queue${number}`
export const filledWorker = (number: number) =>
  `00000000-0000-7000-8000-${number.toString().padStart(12, '0')}`

/** The same in SQL. */
export const taskSql = (number: string) => `('shop.task' || ${number})`
export const queueSql = (number: string) => `('queue' || ${number})`
export const workerSql = (number: string) =>
  `('00000000-0000-7000-8000-' || lpad((${number})::text, 12, '0'))::uuid`
