import { patterns } from '../../../src/dashboard/api/api.js'
import { actions } from '../../../src/dashboard/api/jobs.js'
import { orders } from '../../../src/dashboard/api/orders.js'
import { offered } from '../../../src/dashboard/board/offered.js'
import { files } from '../../../src/dashboard/generated/pages.js'

/** Where it is below the dashboard, and by which method. */
export interface Address {
  readonly method: string
  readonly path: string
}

/** Each route that the API lists, and each of its verbs and actions, as `GET /jobs/:id`. */
export function listedOfApi(): string[] {
  return patterns.flatMap(({ method, path }) => {
    if (path === '/control/:verb') return Object.keys(orders).map((verb) => `${method} /control/${verb}`)
    if (path === '/jobs/:action') return Object.keys(actions).map((action) => `${method} /jobs/${action}`)
    return [`${method} ${path}`]
  })
}

const pages = [
  '',
  '/',
  '/jobs',
  '/jobs/:id',
  '/workers',
  '/audit',
  '/board',
  '/board/',
  '/metrics',
  '/nowhere',
]

/** Everything that the dashboard answers, by the listings of its own routers; with something in the place of each name. */
export function everyAddress(jobId: string): Address[] {
  const listed = [
    ...listedOfApi().map((route) => route.replace(' ', ' /api')),
    ...[...offered.keys()].map((route) => route.replace(' ', ' /board')),
    ...pages.map((path) => `GET ${path}`),
    ...files.slice(0, 2).map(({ name }) => `GET /${name}`),
    'GET /board/queue/default',
    'GET /board/static/locales/en-US/messages.json',
  ]
  return listed.map((route) => {
    const [method = '', path = ''] = route.split(' ')
    return { method: method.toUpperCase(), path: concrete(path, jobId) }
  })
}

export function concrete(path: string, jobId: string): string {
  return path
    .replace(':queueName', 'default')
    .replace(':queueStatus', 'failed')
    .replace(':question', 'ping')
    .replace(':name', 'mail.send')
    .replace(/:(jobId|id)/, jobId)
}

/** Those that change something. */
export function everyChange(jobId: string): Address[] {
  return everyAddress(jobId).filter(({ method }) => method !== 'GET')
}
