import { appRoutes } from '@bull-board/api/dist/routes.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type DashboardAccess,
  type DashboardAction,
  dashboardRoles,
  isDashboardRole,
  leastRoleFor,
} from '../../../src/control/access.js'
import { offered } from '../../../src/dashboard/board/offered.js'
import { ask, fromPage, openShop, type Shop, tasks } from '../shop.js'
import { concrete, listedOfApi } from './addresses.js'

/** What each address takes. A new one fails the tests until it stands here. */
const api: Readonly<Record<string, DashboardAction>> = {
  'GET /me': 'view',
  'GET /openapi.json': 'view',
  'GET /status': 'view',
  'GET /live': 'view',
  'GET /overview': 'view',
  'GET /workers': 'view',
  'GET /workers/:id': 'view',
  'GET /system': 'view',
  'GET /queues': 'view',
  'GET /queues/:name': 'view',
  'GET /tasks': 'view',
  'GET /tasks/:name': 'view',
  'POST /tasks/:name/enqueue': 'task.enqueue',
  'GET /tasks/:name/errors': 'view',
  'GET /inspect/:question': 'view',
  'GET /commands': 'view',
  'GET /commands/:id': 'view',
  'POST /commands/:id/stop': 'operation.stop',
  'POST /commands/:id/resume': 'operation.stop',
  'GET /jobs': 'view',
  'GET /job-count': 'view',
  'GET /job-export': 'job.export',
  'GET /vocabulary': 'view',
  'GET /jobs/:id': 'view',
  'GET /jobs/:id/result': 'view',
  'GET /jobs/:id/logs': 'view',
  'POST /jobs/:id/retry': 'job.retry',
  'POST /jobs/:id/reveal': 'job.reveal',
  'POST /jobs/cancel': 'job.cancel',
  'POST /jobs/retry': 'job.retry',
  'POST /jobs/delete': 'job.delete',
  'POST /jobs/promote': 'job.run',
  'POST /jobs/move': 'job.move',
  'POST /control/shutdown': 'worker.shutdown',
  'POST /control/pool-grow': 'worker.pool',
  'POST /control/pool-shrink': 'worker.pool',
  'POST /control/pool-restart': 'worker.pool',
  'POST /control/autoscale': 'worker.pool',
  'POST /control/queue-add': 'worker.queues',
  'POST /control/queue-remove': 'worker.queues',
  'POST /control/log-level': 'worker.log-level',
  'POST /control/reset': 'worker.reset',
  'POST /control/pause': 'queue.pause',
  'POST /control/resume': 'queue.pause',
  'POST /control/rate-limit': 'task.limit',
  'POST /control/concurrency': 'task.limit',
  'POST /control/limit-reset': 'task.limit',
  'POST /control/time-limit': 'task.limit',
}

/** bull-board's own; what is not here is refused to everybody. */
const board: Readonly<Record<string, DashboardAction>> = {
  'get /api/queues': 'view',
  'get /api/queues/:queueName/workers': 'view',
  'get /api/queues/:queueName/rate-limit': 'view',
  'get /api/queues/:queueName/default-job-options': 'view',
  'get /api/queues/:queueName/:jobId': 'view',
  'get /api/queues/:queueName/:jobId/logs': 'view',
  'get /api/queues/:queueName/:jobId/flow': 'view',
  'put /api/queues/pause': 'queue.pause',
  'put /api/queues/resume': 'queue.pause',
  'put /api/queues/:queueName/pause': 'queue.pause',
  'put /api/queues/:queueName/resume': 'queue.pause',
  'put /api/queues/:queueName/retry/:queueStatus': 'job.retry',
  'put /api/queues/:queueName/:jobId/retry': 'job.retry',
  'put /api/queues/:queueName/:jobId/clean': 'job.cancel',
  'put /api/queues/:queueName/:jobId/promote': 'job.run',
}

const pages = ['', '/', '/board', '/board/', '/board/queue/default', '/metrics']

const chosen: readonly DashboardAction[] = ['view', 'job.delete', 'queue.pause']

const accesses: Readonly<Record<string, DashboardAccess>> = {
  nobody: false,
  viewer: 'viewer',
  operator: { name: 'olga', role: 'operator' },
  admin: 'admin',
  // Rights that no role has together without others.
  'a function': { name: 'fred', may: (action) => chosen.includes(action) },
  'a function of no': () => false,
}

function may(who: string, action: DashboardAction): boolean {
  const place = isDashboardRole(who) ? dashboardRoles.indexOf(who) : -1
  if (place !== -1) return place >= dashboardRoles.indexOf(leastRoleFor(action))
  return who === 'a function' && chosen.includes(action)
}

let shop: Shop
let jobId: string

beforeAll(async () => {
  shop = await openShop({ worker: false, authorize: (req) => accesses[req.get('X-User') ?? 'nobody'] })
  jobId = (await tasks.mail.send.enqueue('ann')).id
})

afterAll(() => shop?.close())

async function asked(who: string, method: string, path: string) {
  const { status, body } = await ask(shop, `/jobs/dashboard${path}`, {
    method,
    headers: { 'X-User': who, ...fromPage, Accept: 'application/json' },
  })
  return { status, code: status === 403 ? (JSON.parse(body) as { code?: string }).code : undefined }
}

describe('S5: every address goes by one action, and every action by a role', () => {
  test('no route of the API is without a row in the table', () => {
    expect(listedOfApi().sort()).toEqual(Object.keys(api).sort())
  })

  test('no route of the board is without a row in the table', () => {
    expect(Object.fromEntries(offered)).toEqual(board)
  })

  describe.each(Object.keys(accesses))('as %s', (who) => {
    test.each(Object.entries(api))('%s', async (route, action) => {
      const [method = '', path = ''] = route.split(' ')
      const answer = await asked(who, method, `/api${concrete(path, jobId)}`)

      if (who === 'nobody') expect(answer).toEqual({ status: 403, code: 'DASHBOARD_CLOSED' })
      else if (!may(who, action)) expect(answer).toEqual({ status: 403, code: 'FORBIDDEN' })
      else expect([200, 400, 404, 409]).toContain(answer.status)
    })

    test('the board', async () => {
      const all = appRoutes.api.flatMap(({ method, route }) =>
        [method].flat().flatMap((each) => [route].flat().map((path) => `${each} ${path}`)),
      )
      for (const route of all) {
        const [method = '', path = ''] = route.split(' ')
        const answer = await asked(who, method.toUpperCase(), `/board${concrete(path, jobId)}`)
        const action = board[route]

        if (who === 'nobody') expect(answer, route).toEqual({ status: 403, code: 'DASHBOARD_CLOSED' })
        else if (!may(who, 'view')) expect(answer, route).toEqual({ status: 403, code: 'FORBIDDEN' })
        else if (!action) expect(answer, route).toEqual({ status: 403, code: undefined })
        else if (!may(who, action)) expect(answer, route).toEqual({ status: 403, code: 'FORBIDDEN' })
        else expect([200, 204, 400, 404, 409], route).toContain(answer.status)
      }
    })

    test.each(pages)('the page %j', async (path) => {
      const { status } = await asked(who, 'GET', path)

      if (may(who, 'view')) expect([200, 302]).toContain(status)
      else expect(status).toBe(403)
    })

    test('an address that does not exist', async () => {
      const { status } = await asked(who, 'POST', '/api/control/explode')

      expect(status).toBe(who === 'nobody' ? 403 : 404)
    })
  })
})

test('S5: what is done bears the name of who did it, on the board, too', async () => {
  await asked('a function', 'PUT', '/board/api/queues/default/pause')
  await asked('operator', 'PUT', '/board/api/queues/default/resume')

  const [resumed, paused] = await shop.jobs.control.commands(2)

  expect(paused).toMatchObject({ verb: 'pause', askedBy: 'fred', askedFrom: 'http 127.0.0.1' })
  expect(resumed).toMatchObject({ verb: 'resume', askedBy: 'olga', askedFrom: 'http 127.0.0.1' })
})

test('S5: a refused action changes nothing', async () => {
  const before = await shop.jobs.control.commands(1)

  await asked('viewer', 'POST', '/api/control/pause')
  await asked('viewer', 'PUT', '/board/api/queues/default/pause')
  await asked('operator', 'POST', '/api/jobs/delete')

  expect(await shop.jobs.control.commands(1)).toEqual(before)
})

test('S5: who may not begin to delete does not go on with what an admin has stopped', async () => {
  await shop.jobs.enqueueMany(
    'mail.send',
    Array.from({ length: 300 }, () => 'late'),
    { delay: '1h', tags: ['many'] },
  )
  const { id } = await shop.jobs.operations.start('delete', { tag: 'many' }, { batch: 1 })
  await shop.jobs.operations.stop(id)
  const stopped = await shop.jobs.operations.progress(id)

  const refused = await asked('operator', 'POST', `/api/commands/${id}/resume`)
  expect(refused.status).toBe(403)
  expect(await shop.jobs.operations.progress(id)).toEqual(stopped)
  expect((await asked('admin', 'POST', `/api/commands/${id}/resume`)).status).toBe(200)
})
