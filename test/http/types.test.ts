import type { Express, Request, RequestHandler, Response } from 'express'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { Accept } from '../../src/http/accept.js'
import type { JobHandle } from '../../src/job/job.js'
import { defineTask } from '../../src/task/define.js'

// What a user's editor must say. The compiler checks this file; nothing in it runs against a server.
declare const app: Express
declare const accept: Accept
declare const req: Request
declare const res: Response

const build = defineTask({
  payload: z.object({ month: z.string(), since: z.string().transform((text) => new Date(text)) }),
  run: ({ month }) => ({ url: month }),
})
const add = defineTask((sum: { a: number; b: number }) => sum.a + sum.b)
const tidy = defineTask(() => 'tidied')
const optional = defineTask({ payload: z.object({ all: z.boolean() }).optional(), run: () => 1 })

const never = (..._: unknown[]) => {}

describe('types', () => {
  test('accept gives a plain handler, for app and router alike', () => {
    never(() => {
      expectTypeOf(accept(build)).toEqualTypeOf<RequestHandler>()
      app.post('/reports/:year', accept(build))
      app.use(accept(optional))
    })
  })

  test("payload gives what the task's schema takes, before its transforms", () => {
    never(() => {
      accept(build, { payload: (req) => ({ month: String(req.params.month), since: '2026-01-01' }) })
      accept(build, { payload: async () => ({ month: '1', since: '2026-01-01' }) })
      // @ts-expect-error since is a text before the schema makes a date of it
      accept(build, { payload: () => ({ month: '1', since: new Date() }) })
      // @ts-expect-error month is missing
      accept(build, { payload: () => ({ since: '2026-01-01' }) })
    })
  })

  test('a task without a schema needs payload', () => {
    never(() => {
      accept(add, { payload: (req) => ({ a: Number(req.params.a), b: 2 }) })
      accept(tidy, { payload: () => undefined })
      // @ts-expect-error a body must not become a payload unseen
      accept(add)
      // @ts-expect-error b is missing
      accept(add, { payload: () => ({ a: 1 }) })
    })
  })

  test('options are those of enqueue', () => {
    never(() => {
      accept(build, { options: (req) => ({ delay: '10s', owner: req.ip ?? null }) })
      // @ts-expect-error no such option
      accept(build, { options: () => ({ dellay: '10s' }) })
    })
  })

  test('req.enqueue and res.accepted are there without a cast', () => {
    never(async () => {
      expectTypeOf(await req.enqueue(build, { month: '1', since: '' })).toEqualTypeOf<
        JobHandle<{ url: string }>
      >()
      expectTypeOf(await req.enqueue(tidy)).toEqualTypeOf<JobHandle<string>>()
      expectTypeOf(await req.enqueue(optional)).toEqualTypeOf<JobHandle<number>>()
      expectTypeOf(await req.enqueue('mail.send', { to: 'ann' })).toEqualTypeOf<JobHandle<unknown>>()
      res.accepted(await req.enqueue(add, { a: 1, b: 2 }, { queue: 'slow' }))
      // @ts-expect-error b is missing
      await req.enqueue(add, { a: 1 })
      // @ts-expect-error the payload is missing
      await req.enqueue(add)
      // @ts-expect-error the await is missing
      res.accepted(req.enqueue(tidy))
    })
  })
})
