import { ConfigError } from '../errors.js'
import type { JobStatus } from '../job/job.js'
import { isEnd } from '../job/state.js'
import type { HttpDeps } from './http.js'

/** Where a job's endpoints are: paths without scheme and host, so that they hold behind any proxy. */
export interface JobLinks {
  readonly self: string
  readonly result: string
  /** Server-Sent Events, for an `EventSource`. */
  readonly events: string
  /** Send DELETE here. Absent once the job has ended. */
  readonly cancel?: string
}

/** A status as the endpoints answer it. */
export type LinkedStatus<Result = unknown> = JobStatus<Result> & { readonly links: JobLinks }

/**
 * The address of all jobs as the browser sees it.
 * @param mount `req.baseUrl` where the middleware ran; `undefined` when it did not run for this request
 */
export function baseOf(jobs: HttpDeps, mount: string | undefined): string {
  if (jobs.publicPath !== undefined) return withoutEnd(jobs.publicPath)
  if (mount === undefined) throw new ConfigError(unknownAddress)
  return localPath(mount) + withoutEnd(jobs.path)
}

const unknownAddress =
  'This route is not below app.use(jobs), so the address of its jobs is not known. Mount jobs before and above the route, or say publicPath in the config, for instance publicPath: "/api/jobs".'

export function withLinks(status: JobStatus, base: string): LinkedStatus {
  const self = `${base}/${status.id}`
  const links = { self, result: `${self}/result`, events: `${self}/events` }
  return { ...status, links: isEnd(status.state) ? links : { ...links, cancel: self } }
}

function withoutEnd(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

/** A mount such as `//elsewhere.example`, matched by a wildcard, must not become a link to another host. */
function localPath(mount: string): string {
  return mount.replace(/^[/\\]{2,}/, '/')
}
