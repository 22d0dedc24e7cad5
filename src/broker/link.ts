import type { IQueueBackend, Job } from 'bullmq'
import type { Broker, BrokerFacts } from './broker.js'
import type { Outage } from './outage.js'

/** A server that BullMQ can use. What a vendor's file gives, and `bullmq.ts` makes a broker of. */
export interface Link {
  readonly kind: Broker['kind']
  readonly address: string
  readonly outage: Outage
  /** Resolves when the server is there, after the attempt that is under way; rejects at once while it is known to be away. */
  reach(): Promise<void>
  /** Resolves when the server has been reached for the first time. It may never be. */
  readonly reached: Promise<void>
  /** Only once it has been reached: BullMQ never recovers from a first connection that failed. */
  openQueue(name: string): BullQueue
  openWorker(name: string, process: Process, settings: WorkerSettings): BullWorker
  /** Puts a job that a worker holds before all that waits. */
  putBack(job: Job, token: string): Promise<void>
  ping(): Promise<void>
  facts(): Promise<BrokerFacts>
  /** A job's data as they stand, and which run of the server answers. */
  peek(queue: string, id: string): Promise<{ readonly data: string | undefined; readonly instance: string }>
  close(): Promise<void>
}

/** The part of BullMQ's queue that a broker needs, on any backend. */
export interface BullQueue {
  getBackend(): IQueueBackend
  close(): Promise<void>
}

/** The part of BullMQ's worker that an intake needs, on any backend. */
export interface BullWorker {
  concurrency: number
  run(): Promise<void>
  pause(doNotWaitActive?: boolean): Promise<void>
  resume(): Promise<void>
  close(): Promise<void>
}

export type Process = (job: Job, token?: string) => Promise<void>

/** What all workers have in common. */
export interface WorkerSettings {
  readonly autorun: false
  readonly lockDuration: number
  readonly stalledInterval: number
  readonly maxStalledCount: number
  readonly runRetryDelay: number
  readonly removeOnComplete: { readonly count: 0 }
  readonly removeOnFail: { readonly count: 0 }
}

/** BullMQ's codes for a job whose lock or key has gone: another worker has it, or it is done. */
export function isDeliveryGone(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'number' && code < 0
}
