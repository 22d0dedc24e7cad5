import type { Response } from 'express'
import { sendJson } from './answer.js'
import type { HttpDeps } from './http.js'

/** Whether a request asks how this process is. */
export function asksForHealth(method: string, path: string, jobsPath: string): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  if (!path.startsWith(jobsPath)) return false
  const rest = path.slice(jobsPath.length)
  return rest === '/health' || rest === '/health/'
}

/**
 * `GET /jobs/health`: which servers answer, and so what this process can do. It is public, so it says no more.
 *
 * A 503 tells a load balancer to send requests elsewhere. Without the broker requests are served, so that is none.
 */
export async function showHealth(jobs: HttpDeps, res: Response): Promise<void> {
  const health = await jobs.health()
  sendJson(res, health.status === 'down' ? 503 : 200, JSON.stringify(health), { 'Cache-Control': 'no-store' })
}
