import type { BaseAdapter } from '@bull-board/api/baseAdapter'
import type {
  JobCounts,
  JobState,
  JobStatus,
  QueueJob,
  QueueMetrics,
  QueueWorker,
  Status,
} from '@bull-board/api/dist/types.js'
import type { Job } from '../../job/job.js'
import { reach } from '../../store/lists.js'
import type { LiveWorker } from '../../store/store.js'
import type { Visitor } from '../access.js'
import { ActionRefused, type Actions } from './actions.js'
import { toBoardJob } from './job.js'
import type { QueueReading } from './readings.js'
import { isTab, listOf, type Tab, tabOf, tabs } from './tab.js'

/** What a queue of the board is made of, for one request. */
export interface QueueParts {
  readonly reading: QueueReading
  readonly actions: Actions
  /** Where the status of a job is, without the id. */
  readonly statusBase: string | undefined
  readonly visitor: Visitor
}

export type MakeQueue = (parts: QueueParts) => BaseAdapter

const largestPage = 50
/** What the pages have a button for. Who may none of it is shown none. */
const changes = ['queue.pause', 'job.retry', 'job.cancel', 'job.run'] as const

/**
 * A queue as bull-board wants it, over our store.
 * @param Base bull-board's own class, which is loaded late
 */
export function toQueueMaker(Base: typeof BaseAdapter): MakeQueue {
  class StoreQueue extends Base {
    readonly #reading: QueueReading
    readonly #actions: Actions

    constructor({ reading, actions, statusBase, visitor }: QueueParts) {
      super('bullmq', {
        allowCompletedRetries: false,
        allowRetries: visitor.may('job.retry'),
        readOnlyMode: !changes.some(visitor.may),
        description: describe(reading),
        ...(statusBase === undefined
          ? {}
          : { externalJobUrl: ({ id }) => ({ href: `${statusBase}/${id}`, displayText: 'Status' }) }),
      })
      this.#reading = reading
      this.#actions = actions
    }

    override getName(): string {
      return this.#reading.name
    }

    override getStatuses(): Status[] {
      return ['latest', ...tabs] as Status[]
    }

    override getJobStatuses(): JobStatus[] {
      return [...tabs] as JobStatus[]
    }

    override async getJobCounts(): Promise<JobCounts> {
      return { ...this.#reading.counts } as JobCounts
    }

    override async getJobs(
      statuses: JobStatus[],
      start = 0,
      end = start + largestPage - 1,
    ): Promise<QueueJob[]> {
      const asked = statuses.filter(isTab)
      const limit = Math.min(end - start + 1, largestPage)
      const lists = await Promise.all(asked.map((tab) => this.#list(tab, limit, start)))
      const jobs = asked.length === 1 ? lists.flat() : lists.flat().sort(byLatestChange).slice(0, limit)
      return jobs.map((job) => this.#toQueueJob(job))
    }

    override async getJob(id: string): Promise<QueueJob | undefined> {
      const job = await this.#actions.find(this.#reading.name, id)
      return job && this.#toQueueJob(job)
    }

    override getJobLogs(id: string): Promise<string[]> {
      return this.#actions.logs(this.#reading.name, id)
    }

    override async isPaused(): Promise<boolean> {
      return this.#reading.isPaused
    }

    override pause(): Promise<void> {
      return this.#actions.pause(this.#reading.name)
    }

    override resume(): Promise<void> {
      return this.#actions.resume(this.#reading.name)
    }

    override async getWorkers(): Promise<QueueWorker[]> {
      return this.#reading.workers.map(toBoardWorker)
    }

    override async getRedisInfo(): Promise<null> {
      return null
    }

    override async getGlobalConcurrency(): Promise<null> {
      return null
    }

    override async getJobSchedulers(): Promise<[]> {
      return []
    }

    override async getJobSchedulersCount(): Promise<number> {
      return 0
    }

    // No route that is offered leads to the rest.
    override getMetrics = (): Promise<QueueMetrics> => refuse()
    override addJob = (): Promise<QueueJob> => refuse()
    override clean = (): Promise<void> => refuse()
    override empty = (): Promise<void> => refuse()
    override obliterate = (): Promise<void> => refuse()
    override promoteAll = (): Promise<void> => refuse()
    override removeJobScheduler = (): Promise<boolean> => refuse()
    override updateJobScheduler = (): Promise<never> => refuse()
    override runJobSchedulerNow = (): Promise<never> => refuse()
    override setGlobalConcurrency = (): Promise<void> => refuse()

    async #list(tab: Tab, limit: number, offset: number): Promise<Job[]> {
      // What was counted as none is not asked for; a count ends where the lists do.
      if (this.#reading.counts[tab] <= offset) return []
      return this.#actions.list(this.#reading.name, listOf[tab], limit, offset)
    }

    #toQueueJob(job: Job): QueueJob & { readonly id: string } {
      const actions = this.#actions
      const json = toBoardJob(job, this.#reading.workers)
      return {
        id: job.id,
        opts: json.opts,
        toJSON: () => json,
        getState: async () => tabOf[job.state] as JobState,
        remove: () => actions.cancel(job.id),
        retry: () => actions.retry(job.id),
        promote: () => actions.promote(job.id),
      }
    }
  }

  return (parts) => new StoreQueue(parts)
}

function describe({ counts }: QueueReading): string {
  const isCapped = Object.values(counts).some((count) => count >= reach)
  return isCapped
    ? `Counts and lists end at ${reach.toLocaleString('en')} jobs. Others are found by their id.`
    : ''
}

function byLatestChange(a: Job, b: Job): number {
  return changedAt(b) - changedAt(a)
}

function changedAt({ finishedAt, startedAt, createdAt }: Job): number {
  return (finishedAt ?? startedAt ?? createdAt).getTime()
}

function toBoardWorker({ id, name, host, pid, startedAt }: LiveWorker): QueueWorker {
  const age = Math.max(0, Math.round((Date.now() - startedAt.getTime()) / 1000))
  return { id, name, addr: `${host}, process ${pid}`, age }
}

function refuse(): never {
  throw new ActionRefused('The board does not offer this.')
}
