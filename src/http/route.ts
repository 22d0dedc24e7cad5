import { cancelJob } from './cancel.js'
import { streamEvents } from './events.js'
import type { Endpoint } from './http.js'
import { showResult } from './result.js'
import { showStatus } from './status.js'

interface Route {
  readonly method: 'GET' | 'DELETE'
  /** What follows the job's id. */
  readonly rest: string
  readonly endpoint: Endpoint
}

/** Every public endpoint below `path`. HEAD is answered as GET, without the body. */
export const routes: readonly Route[] = [
  { method: 'GET', rest: '', endpoint: showStatus },
  { method: 'GET', rest: '/result', endpoint: showResult },
  { method: 'GET', rest: '/events', endpoint: streamEvents },
  { method: 'DELETE', rest: '', endpoint: cancelJob },
]

/** An endpoint of ours, and the job that it is asked about. */
export interface Match {
  readonly endpoint: Endpoint
  readonly id: string
}

/**
 * Finds the endpoint for a request. A method or an address that is not in the table is none of ours, and neither is an
 * id that is no UUID: the app may have routes of its own there.
 */
export function matchRoute(method: string, path: string, jobsPath: string): Match | undefined {
  if (!path.startsWith(jobsPath) || path[jobsPath.length] !== '/') return undefined
  const id = path.slice(jobsPath.length + 1, jobsPath.length + 1 + uuidLength)
  if (!uuid.test(id)) return undefined
  const rest = path.slice(jobsPath.length + 1 + uuidLength).replace(/\/$/, '')
  const asked = method === 'HEAD' ? 'GET' : method
  const route = routes.find((candidate) => candidate.method === asked && candidate.rest === rest)
  return route && { endpoint: route.endpoint, id: id.toLowerCase() }
}

const uuidLength = 36
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
