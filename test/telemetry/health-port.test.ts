import { expect, onTestFinished, test } from 'vitest'
import { openHealthPort } from '../../src/telemetry/health-port.js'
import { type HealthReason, readinessOf } from '../../src/telemetry/readiness.js'
import { until } from '../support/until.js'

const silent = { warn() {} }

async function open(state: { reasons: HealthReason[] } = { reasons: [] }, stillAfterMs = 10_000) {
  const readiness = async () => readinessOf([...state.reasons])
  const opened = await openHealthPort({ port: 0, host: '127.0.0.1', readiness, log: silent, stillAfterMs })
  onTestFinished(() => opened.close())
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`http://127.0.0.1:${opened.port}${path}`, init)
    return { code: answer.status, text: await answer.text() }
  }
  return { ask, port: opened.port }
}

test('it begins unready, and says what the process says', async () => {
  const state = { reasons: [] as HealthReason[] }
  const { ask } = await open(state)
  await until(async () => (await ask('/health/ready')).code === 200)

  state.reasons = [{ code: 'broker-away', message: 'The broker does not answer.' }]
  const answer = await until(async () => {
    const answer = await ask('/health/ready')
    return answer.code === 503 ? answer : undefined
  })

  expect(JSON.parse(answer?.text ?? '')).toEqual({ ready: false, reasons: state.reasons })
  expect((await ask('/health/ready?exclude=broker-away')).code).toBe(200)
  expect((await ask('/health/live')).code).toBe(200)
})

test('an event loop that stands still is told while it does, and is well when it turns again', async () => {
  const { port } = await open({ reasons: [] }, 1500)
  const { spawn } = await import('node:child_process')
  const asking = `
    const get = (path) => fetch('http://127.0.0.1:${port}' + path).then(async (a) => [a.status, await a.json()])
    const answers = []
    for (let at = 0; at < 12; at += 1) {
      answers.push(await Promise.all([get('/health/live'), get('/health/ready')]))
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    console.log(JSON.stringify(answers))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', asking], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const ended = new Promise((resolve) => child.once('close', resolve))

  const blockedUntil = Date.now() + 6000
  while (Date.now() < blockedUntil);
  await ended

  const answers = JSON.parse(output) as [number, { reasons: HealthReason[] }][][]
  const blocked = answers.filter(([live, ready]) => live?.[0] === 503 && ready?.[0] === 503)
  expect(blocked.length).toBeGreaterThan(0)
  expect(blocked[0]?.[0]?.[1].reasons[0]?.code).toBe('loop-blocked')
  expect(blocked[0]?.[0]?.[1].reasons[0]?.message).toMatch(/since \d{4}-\d\d-\d\dT/)
  await until(async () => (await fetch(`http://127.0.0.1:${port}/health/live`)).status === 200)
})

test('other addresses and methods are told what there is', async () => {
  const { ask } = await open()

  expect((await ask('/')).code).toBe(404)
  expect((await ask('/health')).text).toContain('/health/ready')
  expect((await ask('/health/live', { method: 'POST' })).code).toBe(405)
  expect((await ask('/health/ready?exclude=redis')).code).toBe(400)
  expect((await ask('/health/live', { method: 'HEAD' })).text).toBe('')
})

test('a port that another process has is told', async () => {
  const { port } = await open()
  const again = openHealthPort({
    port,
    host: '127.0.0.1',
    readiness: async () => readinessOf([]),
    log: silent,
  })

  await expect(again).rejects.toThrow(`Port ${port} of "worker.healthPort" (--health-port) cannot be opened`)
})

test('a closed port answers no more', async () => {
  const opened = await openHealthPort({ port: 0, readiness: async () => readinessOf([]), log: silent })
  await opened.close()

  await expect(fetch(`http://127.0.0.1:${opened.port}/health/live`)).rejects.toThrow()
})
