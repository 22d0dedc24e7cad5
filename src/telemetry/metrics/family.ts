/** A metric as Prometheus knows it: a name, and a value for each set of labels. */
export interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}

export const endStates = ['succeeded', 'failed', 'cancelled', 'expired'] as const
export const openStates = ['scheduled', 'queued', 'running', 'retrying'] as const
export const outcomes = [
  ...['succeeded', 'failed', 'cancelled', 'retried', 'snoozed', 'lost', 'returned', 'unstarted'],
] as const

/** Of the whole installation, from the store: every process gives the same, so one is to be asked. */
export const clusterFamilies = {
  celeriac_jobs_enqueued_total: counter('Jobs that were written to the store.', ['task', 'queue']),
  celeriac_jobs_requeued_total: counter(
    'Jobs that were put back into their queue after their end, by hand.',
    [...['task', 'queue']],
  ),
  celeriac_jobs_ended_total: counter('Jobs that have ended, by the state they ended in.', [
    ...['task', 'queue', 'state'],
  ]),
  celeriac_attempts_started_total: counter('Attempts that workers have begun.', ['task', 'queue']),
  celeriac_attempts_ended_total: counter(
    'Attempts that are over, by what came of them. "retried" and "snoozed" run again later; "lost", "returned" and "unstarted" went back to their queue.',
    ['task', 'queue', 'outcome'],
  ),
  celeriac_job_wait_seconds: histogram('How long jobs had been due when an attempt began.', [
    'task',
    'queue',
  ]),
  celeriac_attempt_run_seconds: histogram('How long attempts ran.', ['task', 'queue']),
  celeriac_job_total_seconds: histogram('From the enqueue to success or failure.', ['task', 'queue']),
  celeriac_jobs: gauge('Jobs that are in the store at this moment, by state.', ['queue', 'state']),
  celeriac_queue_oldest_seconds: gauge('How long the oldest job that waits for a worker has been due.', [
    'queue',
  ]),
  celeriac_dispatch_lag_seconds: gauge(
    'How long the oldest batch of jobs has been committed that the broker is not known to have.',
    [],
  ),
  celeriac_workers: gauge(
    'Workers that are up, silent for two rounds of maintenance, or lost in the last 7 days.',
    ['state'],
  ),
  celeriac_queue_workers: gauge('Workers that are up and serve a queue.', ['queue']),
  celeriac_worker_slots: gauge('Jobs that a worker runs at once.', ['worker']),
  celeriac_worker_running: gauge('Jobs that a worker runs.', ['worker']),
  celeriac_worker_reserved: gauge('Jobs that a worker has claimed and not begun.', ['worker']),
  celeriac_worker_unsettled: gauge('Ends of jobs that a worker holds and the store has not recorded.', [
    'worker',
  ]),
  celeriac_worker_loop_delay_seconds: gauge(
    'What the event loop of a worker was late in the last seconds, p99.',
    ['worker'],
  ),
  celeriac_worker_memory_bytes: gauge('Resident memory of a worker process, without its pool.', ['worker']),
  celeriac_maintenance_repairs_total: counter(
    'Jobs that a pass of maintenance has repaired, ended or deleted.',
    ['pass'],
  ),
} as const satisfies Record<string, Family>

/** Of one worker process. What Node says of it comes besides. */
export const workerFamilies = {
  celeriac_process_slots: gauge('Jobs that this worker runs at once.', []),
  celeriac_process_running: gauge('Jobs that this worker runs.', []),
  celeriac_process_reserved: gauge('Jobs that this worker has claimed and not begun.', []),
  celeriac_process_unsettled: gauge('Ends of jobs that the store has not recorded.', []),
  celeriac_process_pool_children: gauge('Threads and processes of its pool.', []),
  celeriac_process_attempts_total: counter('Attempts that have ended here, by what came of them.', [
    'outcome',
  ]),
} as const satisfies Record<string, Family>

function counter(help: string, labels: readonly string[]): Family {
  return { type: 'counter', help, labels }
}

function gauge(help: string, labels: readonly string[]): Family {
  return { type: 'gauge', help, labels }
}

function histogram(help: string, labels: readonly string[]): Family {
  return { type: 'histogram', help, labels }
}
