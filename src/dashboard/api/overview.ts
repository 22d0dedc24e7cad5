import type { ClusterStatus } from '../../control/status.js'
import type { Call } from './route.js'

/** `GET /status`: how everything is, and what is wrong. */
export async function showStatus({ deps }: Call<'GET /status'>): Promise<ClusterStatus> {
  return deps.status()
}
