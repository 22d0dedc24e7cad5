import * as devalue from 'devalue'
import express from 'express'
import superjson from 'superjson'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { ConfigError, PayloadInvalidError } from '../../src/errors.js'
import { createValues } from '../../src/job/codec.js'
import { defineTask } from '../../src/task/define.js'
import { serve } from '../http/app.js'
import { closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'

closeJobsAfterEach()

const codecs = { superjson, devalue }

describe.each(Object.entries(codecs))('%s', (_name, codec) => {
  test('carries what JSON lacks, to the handler and back', async () => {
    const measure = defineTask({
      payload: z.object({ at: z.date(), counts: z.map(z.string(), z.bigint()) }),
      run: ({ at, counts }) => ({ at, total: [...counts.values()].reduce((a, b) => a + b), counts }),
    })
    await openJobs({ ...(await freshServers('redis')), tasks: { lab: { measure } }, codec, worker: true })
    const at = new Date('2026-10-01T00:00:00Z')
    const counts = new Map([['a', 2n ** 70n]])

    const job = await measure.enqueue({ at, counts })

    expect(await job.result()).toEqual({ at, total: 2n ** 70n, counts })
  })

  test('is shown as plain JSON over HTTP', async () => {
    const measure = defineTask(() => ({ at: new Date(0), big: 5n, map: new Map([['a', 1]]) }))
    const jobs = await openJobs({
      ...(await freshServers('postgres')),
      tasks: { lab: { measure } },
      codec,
      worker: true,
    })
    const job = await measure.enqueue()
    await job.result()

    const { url, close } = await serve(express().use(jobs))
    onTestFinished(close)
    const plain = { at: '1970-01-01T00:00:00.000Z', big: '5', map: [['a', 1]] }

    expect(await (await fetch(`${url}/jobs/${job.id}/result`)).json()).toEqual(plain)
    expect(await (await fetch(`${url}/jobs/${job.id}`)).json()).toMatchObject({ result: plain })
  })

  test('hides what is redacted', async () => {
    const charge = defineTask({
      redact: ['payload.token', 'result.token'],
      run: (payload: { token: bigint; at: Date }) => payload,
    })
    await openJobs({ ...(await freshServers('redis')), tasks: { lab: { charge } }, codec, worker: true })

    const job = await charge.enqueue({ token: 1n, at: new Date(0) })

    expect(await job.result()).toEqual({ token: '[redacted]', at: new Date(0) })
  })
})

test('what the codec cannot carry is refused at the call, and as a result is told', async () => {
  const echo = defineTask((value: unknown) => () => value)
  await openJobs({
    ...(await freshServers('redis')),
    tasks: { lab: { echo } },
    codec: devalue,
    worker: true,
  })

  await expect(echo.enqueue(() => 1)).rejects.toThrow(PayloadInvalidError)
  const job = await echo.enqueue(1)
  await expect(job.result()).rejects.toThrow('the codec cannot carry it')
})

describe('values', () => {
  test('of a row written before there was a codec are read as they are', () => {
    expect(createValues(superjson).fromText('{"a":1}')).toEqual({ a: 1 })
  })

  test('of a codec are told apart from plain JSON, and are JSON all the same', () => {
    const text = createValues(superjson).toText({ at: new Date(0) })

    if (!('json' in text)) throw new Error(text.reason)
    expect(JSON.parse(text.json)).toHaveProperty('json')
    expect(() => createValues(undefined).fromText(text.json)).toThrow('this process has none')
  })
})

test.each([
  [{}],
  [{ stringify: JSON.stringify, parse: JSON.parse }],
  [{ stringify: () => 'no json', parse: () => ({ date: new Date(0) }) }],
  [null],
])('%j is refused as a codec', async (codec) => {
  await expect(openJobs({ codec: codec as never })).rejects.toThrow(ConfigError)
})
