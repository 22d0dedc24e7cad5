import type { LostWorker, StoredError } from './job.js'

/** What the stored error of a job that took down too many workers begins with. */
export const lostErrorStart = '{"name":"WorkerLostError","code":"WORKER_LOST","message":"The job took down'

/** The error of a job that took down too many workers. It names them, for management alone. */
export function toLostError(workers: readonly LostWorker[]): StoredError {
  const named = workers.map(({ name, host, pid }) => `${name} (process ${pid} on ${host})`)
  return {
    name: 'WorkerLostError',
    code: 'WORKER_LOST',
    message: `${publicLostMessage(workers)} They were ${named.join(', ')}.`,
    workers,
  }
}

/** Hosts and process ids are not for the public. */
export function publicLostMessage(workers: readonly LostWorker[]): string {
  return `The job took down ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}, and was given up.`
}
