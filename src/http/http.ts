import type { Request, RequestHandler, Response } from 'express'
import type { OwnerOf } from '../enqueue/context.js'
import type { EventsOptions, JobEvent } from '../job/event.js'
import type { CancelAnswer, EnqueueOptions, Job, JobHandle, JobStatus } from '../job/job.js'
import type { AnyTask } from '../task/define.js'
import type { Health } from '../telemetry/health.js'
import type { Readiness } from '../telemetry/readiness.js'

/** What the HTTP side needs from the rest. Every method may throw an error of ours, which becomes a problem answer. */
export interface HttpDeps {
  /** Where the endpoints are below the mount, as `/jobs`. */
  readonly path: string
  /** The address of `path` as browsers see it; it wins over what the mount says. */
  readonly publicPath: string | undefined
  /** Bytes of JSON that `accept` reads. */
  readonly maxPayload: number
  /** With it, a job is shown to its owner only. Without it, whoever knows the id may see the job. */
  readonly ownerOf: OwnerOf | undefined
  /** What people look at, served at `<path>/dashboard`. */
  readonly dashboard?: RequestHandler

  find(id: string): Promise<Job | undefined>
  /** What a caller may see of a job, `waitingFor` included. */
  toStatus(job: Job): JobStatus | Promise<JobStatus>
  /** Resolves when the job has ended, after `ms`, or when `signal` aborts, whichever is first. */
  waitForEnd(id: string, ms: number, signal: AbortSignal): Promise<void>
  /** What happens to the job, until its end. */
  events(id: string, options: EventsOptions): AsyncIterable<JobEvent>
  /** Whether events tell what handlers logged. */
  readonly showsLogs: boolean
  cancel(id: string, by: string | null, reason: string | null): Promise<CancelAnswer>

  /** Called inside the request's context, from which it takes owner, request id and trace. */
  enqueue(task: AnyTask | string, payload: unknown, options: EnqueueOptions): Promise<JobHandle>
  /** The status to answer with right after an enqueue: from memory for a new job, else from the store. */
  statusOf(handle: JobHandle): JobStatus | Promise<JobStatus>

  /** JSON of what a job holds, whatever it was written by. */
  toJson(value: unknown): string

  /** Never rejects. */
  health(): Promise<Health>
  /** Never rejects. */
  readiness(): Promise<Readiness>
}

/** One request to one of our endpoints. */
export interface Call {
  readonly req: Request
  readonly res: Response
  /** A well-formed id; nobody has looked whether there is such a job. */
  readonly id: string
  /** The address of all jobs, as `/api/jobs`. */
  readonly base: string
}

/** Answers a call. What it throws is for the caller to answer or to pass on. */
export type Endpoint = (jobs: HttpDeps, call: Call) => Promise<void>
