import type { ClusterStatus } from '../../control/status.js'
import type { Reading } from './route.js'

/** `GET /status`: how everything is, and what is wrong. */
export async function showStatus({ deps }: Reading<'GET /status'>): Promise<ClusterStatus> {
  return deps.status()
}
