import type { Thrown } from '../../job/failure.js'
import type { StoredError } from '../../job/job.js'

/** What was thrown in a child, as far as it can be told here. */
export class RemoteError extends Error {
  readonly code: string | undefined
  /** How it was judged where the object was, if a handler threw it. */
  readonly thrown: Thrown | undefined

  constructor({ name, message, code, stack }: StoredError, thrown?: Thrown) {
    super(message)
    Object.defineProperty(this, 'name', { value: name, configurable: true })
    Object.defineProperty(this, 'stack', { value: stack, configurable: true })
    this.code = code
    this.thrown = thrown
  }
}
