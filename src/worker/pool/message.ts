import type { Thrown } from '../../job/failure.js'
import type { StoredError } from '../../job/job.js'
import type { JsonText } from '../../job/json.js'
import type { ClaimedJob } from '../../store/store.js'
import type { ErrorRecord } from './error-record.js'

/** What a child needs to know before its first job. */
export interface ChildSetup {
  /** The app's folder, from which its TypeScript loader is found. */
  readonly root: string
  /** The config file, where the child needs what only functions say: `onWorkerStart`, `onWorkerStop`, `codec`, `tracing`. */
  readonly config: string | undefined
  readonly homes: readonly TaskHome[]
  readonly maxPayload: number
  /** The process that started the child; without it, the child has no reason to live. */
  readonly parent: number
}

/** A file that exports tasks, and what they are called. */
export interface TaskHome {
  readonly file: string
  readonly tasks: readonly string[]
}

/** One attempt. */
export interface Order {
  readonly job: ClaimedJob
  /** Its name now; the job may have it under an alias. */
  readonly task: string
  /** URL of the file that exports the task. */
  readonly file: string
  readonly maxResult: number
  /** By which the store knows that the job is this worker's. */
  readonly workerId: string
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** What only the worker's own process can do. */
export type CallMethod = 'enqueue' | 'enqueueMany' | 'status' | 'ended' | 'cancel' | 'logs' | 'installation'

export type ToChild =
  | { readonly type: 'setup'; readonly setup: ChildSetup }
  | { readonly type: 'run'; readonly order: Order }
  | { readonly type: 'abort'; readonly reason: ErrorRecord }
  | {
      readonly type: 'answer'
      readonly call: number
      readonly value?: unknown
      readonly error?: ErrorRecord
    }
  | { readonly type: 'stop' }

export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'unready'; readonly error: StoredError }
  /** The payload is parsed; the handler begins. */
  | { readonly type: 'started' }
  /** The abort has reached the child: its event loop turns. */
  | { readonly type: 'heard' }
  | { readonly type: 'log'; readonly level: LogLevel; readonly args: readonly unknown[] }
  | { readonly type: 'progress'; readonly json: string }
  /** The end may stand in the store from now on (`true`), or does not (`false`). */
  | { readonly type: 'completing'; readonly may: boolean }
  | {
      readonly type: 'call'
      readonly call: number
      readonly method: CallMethod
      readonly args: readonly unknown[]
    }
  | { readonly type: 'returned'; readonly result: JsonText; readonly memory: number }
  | { readonly type: 'threw'; readonly thrown: Thrown; readonly memory: number }
  /** An error that nobody caught. The child ends. */
  | { readonly type: 'crashed'; readonly error: StoredError }
