import type { Request, Response } from 'express'
import { healthCodes, isHealthCode, without } from '../telemetry/readiness.js'
import { sendJson } from './answer.js'
import type { HttpDeps } from './http.js'

type HealthEndpoint = (jobs: HttpDeps, req: Request, res: Response) => Promise<void>

const endpoints: Readonly<Record<string, HealthEndpoint>> = {
  '/health': showHealth,
  '/health/live': showLive,
  '/health/ready': showReady,
}

/** The endpoint by which a request asks how this process is. */
export function matchHealth(method: string, path: string, jobsPath: string): HealthEndpoint | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  if (!path.startsWith(`${jobsPath}/health`)) return undefined
  const rest = path.slice(jobsPath.length).replace(/\/$/, '')
  return Object.hasOwn(endpoints, rest) ? endpoints[rest] : undefined
}

/**
 * `GET /jobs/health`: which servers answer, and so what this process can do. It is public, so it says no more.
 *
 * A 503 tells a load balancer to send requests elsewhere. Without the broker requests are served, so that is none.
 */
async function showHealth(jobs: HttpDeps, _req: Request, res: Response): Promise<void> {
  const health = await jobs.health()
  send(res, health.status !== 'down', health)
}

/** `GET /jobs/health/live`: that it answers says all. */
async function showLive(_jobs: HttpDeps, _req: Request, res: Response): Promise<void> {
  send(res, true, { live: true })
}

/**
 * `GET /jobs/health/ready`: 503 and the reasons when something keeps this process, or the cluster, from its work. What
 * somebody does not care for is left out: `?exclude=broker-away,queue-unserved`.
 */
async function showReady(jobs: HttpDeps, req: Request, res: Response): Promise<void> {
  const excluded = String(req.query.exclude ?? '')
    .split(',')
    .filter((code) => code !== '')
  const unknown = excluded.find((code) => !isHealthCode(code))
  if (unknown === undefined) {
    const readiness = without(await jobs.readiness(), excluded.filter(isHealthCode))
    return send(res, readiness.ready, readiness)
  }
  const error = `"exclude" takes reasons by comma: ${healthCodes.join(', ')}.`
  sendJson(res, 400, JSON.stringify({ error }), { 'Cache-Control': 'no-store' })
}

function send(res: Response, isWell: boolean, body: object): void {
  sendJson(res, isWell ? 200 : 503, JSON.stringify(body), { 'Cache-Control': 'no-store' })
}
