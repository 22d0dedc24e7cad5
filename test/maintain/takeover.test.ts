import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startMaintenance } from '../../src/maintain/maintain.js'
import { brokers } from '../support/lab.js'
import { freshRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { addRows, type Ground, openGround } from './ground.js'

const program = fileURLToPath(new URL('../fixtures/maintain/process.ts', import.meta.url))
const start = { queue: '', jobId: '00000000-0000-0000-0000-000000000000' }
const roundMs = 1000
const count = 8000

/** A process that does nothing but maintenance. */
async function startProcess(database: string, redis: string | undefined): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, database, redis ?? '', `${roundMs}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    child.kill('SIGCONT')
    child.kill('SIGKILL')
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  await until(() => output.includes('ready'))
  return child
}

/** Steps of the repair so far; `undefined`: there is none. */
async function stepsOf({ store }: Ground): Promise<number | undefined> {
  return (await store.beginRound([])).walks.find(({ name }) => name === 'repair')?.step
}

describe.each(brokers)('on %s', (kind) => {
  test.each(['SIGKILL', 'SIGSTOP'] as const)(
    'a process that gets %s in the middle of a repair is followed by another, and nothing is left out or doubled',
    async (signal) => {
      const redis = kind === 'redis' ? await freshRedis() : undefined
      const ground = await openGround(kind, redis ? { redis } : {})
      await ground.broker.ping()
      await addRows(ground, count)
      await ground.store.beginWalk({ name: 'repair', since: null, cursor: start })
      const first = await startProcess(ground.database, redis)
      await until(async () => ((await stepsOf(ground)) ?? 0) >= 2, { everyMs: 5 })

      first.kill(signal)
      const left = count - (await ground.broker.counts('default')).waiting
      expect(left).toBeGreaterThan(0)
      const maintenance = startMaintenance(ground, roundMs)
      onTestFinished(() => maintenance.close())

      await until(async () => (await stepsOf(ground)) === undefined)
      const done = { waiting: count, delayed: 0, taken: 0 }
      expect(await ground.broker.counts('default')).toEqual(done)
      // It went on where the first was, but for the step that was under way.
      expect(maintenance.repaired().repair).toBeLessThanOrEqual(count - 2000)

      first.kill('SIGCONT')
      await new Promise((resolve) => setTimeout(resolve, roundMs))
      expect(await stepsOf(ground)).toBeUndefined()
      expect(await ground.broker.counts('default')).toEqual(done)
    },
    60_000,
  )
})
