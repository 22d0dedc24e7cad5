import type { RequestHandler } from 'express'

export function createDashboard(_app: unknown): RequestHandler {
  return (_req, res) => {
    res.status(403).end()
  }
}
