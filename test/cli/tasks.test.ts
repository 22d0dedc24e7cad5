import { tmpdir } from 'node:os'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { exampleOf, payloadSchemaOf } from '../../src/task/schema.js'
import { closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { startWorkerProcess } from '../support/worker-process.js'
import { commandLine, runCeleriac } from './command-line.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 600_000 })

const app = 'test/fixtures/desk'

describe('celeriac tasks', () => {
  test('lists what the code says, and who runs it', async () => {
    const servers = await freshServers('postgres')
    await openJobs({ ...servers, deadline: '60s' })
    const celeriac = commandLine(servers, app)
    const idle = await celeriac(['tasks'])
    await startWorkerProcess({ ...servers, app, args: ['-n', 'desk'] })

    const listed = await celeriac(['tasks'])
    const all = JSON.parse((await celeriac(['tasks', '--json'])).out)

    expect(idle.out).toMatch(/^mail\.send .* 0$/m)
    expect(listed).toMatchObject({ code: 0, err: '' })
    expect(listed.out).toMatch(
      /^mail\.send +mail +3 +30 s, then .* +1000\/s +- +2 d +mail\.deliver +1$|^mail\.send +mail +3 +30 s +1000\/s +- +2 d.* +mail\.deliver +1$/m,
    )
    expect(all.map(({ name }: { name: string }) => name)).toEqual([
      ...['mail.send', 'work.add', 'work.fail', 'work.flaky', 'work.nothing', 'work.rest'],
    ])
    expect(all[0]).toMatchObject({ queue: 'mail', attempts: 3, workers: ['desk'] })
  })

  test('gives the payload of one as JSON Schema, and a call that is accepted', async () => {
    const servers = await freshServers('postgres')
    await openJobs({ ...servers, deadline: '60s' })
    const celeriac = commandLine(servers, app)

    const { out } = await celeriac(['tasks', 'mail.deliver', '--json'])
    const shown = await celeriac(['tasks', 'mail.send'])
    const typo = await celeriac(['tasks', 'mail.sned'])

    const task = JSON.parse(out)
    expect(task.payload).toMatchObject({
      library: 'zod',
      jsonSchema: {
        type: 'object',
        properties: { to: { type: 'string', minLength: 3 }, copies: { type: 'integer', default: 1 } },
        required: ['to'],
      },
    })
    expect(task.call).toBe(`celeriac call mail.send --payload '{"to":"text"}' --wait`)
    expect(shown.out).toContain('"minLength": 3')
    expect(shown.out).toContain(task.call)
    expect(typo).toMatchObject({ code: 4, err: expect.stringContaining('Did you mean "mail.send"?') })
    expect(await celeriac(['call', 'mail.send', '--payload', '{"to":"text"}'])).toMatchObject({ code: 0 })
  })

  test('knows what workers have announced where the code is not', async () => {
    const servers = await freshServers('postgres')
    const celeriac = commandLine(servers)
    await startWorkerProcess({ ...servers, app, args: ['-n', 'desk'] })

    const listed = await celeriac(['tasks'], { folder: tmpdir() })
    const one = await celeriac(['tasks', 'mail.send'], { folder: tmpdir() })

    expect(listed.out).toMatch(/^mail\.send +mail +3 +30 s +\? +- +2 d, .* +mail\.deliver +1$/m)
    expect(one).toMatchObject({ code: 0, out: expect.stringContaining('not here') })
    expect(one.out).toContain('"minLength": 3')
  })

  test('needs no server where the code is', async () => {
    const variables = {
      CELERIAC_DATABASE_URL: 'postgres://127.0.0.1:1/none',
      CELERIAC_BROKER_URL: 'redis://127.0.0.1:1',
    }
    const listed = await runCeleriac(['tasks', '-A', app], { variables })

    expect(listed).toMatchObject({ code: 0, out: expect.stringMatching(/^work\.add .* \?$/m) })
    expect(listed.err).toContain('What workers run is not known: ')
  })
})

describe('the schema of a payload', () => {
  test('comes from zod and arktype; of others, it says which library it is', () => {
    const shape = { type: 'object', required: ['month'] }

    expect(payloadSchemaOf(z.object({ month: z.string() })).jsonSchema).toMatchObject(shape)
    expect(payloadSchemaOf(type({ month: 'string' })).jsonSchema).toMatchObject(shape)
    expect(payloadSchemaOf(v.object({ month: v.string() }))).toMatchObject({
      ...{ library: 'valibot', jsonSchema: null, note: expect.stringContaining('valibot') },
    })
    expect(payloadSchemaOf(z.object({ at: z.date() }))).toMatchObject({ library: 'zod', jsonSchema: null })
    expect(payloadSchemaOf(undefined).note).toBe('The task checks no payload.')
  })

  test.each([
    [z.object({ a: z.string().min(6), b: z.number().optional() })],
    [z.object({ kind: z.enum(['one', 'two']), n: z.int().min(5), list: z.array(z.string()).min(1) })],
    [z.object({ to: z.email(), on: z.iso.date(), id: z.uuid(), deep: z.object({ flag: z.boolean() }) })],
    [z.union([z.object({ a: z.literal(7) }), z.string()])],
    [z.string()],
    [z.array(z.number())],
  ])('gives an example that it accepts', (schema) => {
    const example = exampleOf(payloadSchemaOf(schema).jsonSchema)

    expect(schema.safeParse(example)).toMatchObject({ success: true })
  })
})
