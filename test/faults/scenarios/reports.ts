import { must, quickLeases, type Scenario } from '../scenario.js'

export const chatty: Scenario = {
  faults: ['F45'],
  title: 'a handler that reports without end holds up nobody, and very large values are refused or dropped',
  async run({ open }) {
    const scene = await open({ concurrency: 4 })
    await scene.workersLive()
    const chatting = await scene.enqueue('chatty', { reports: 100_000 })
    const others = await scene.enqueueMany(20, 'quick')
    await scene.ended([chatting, ...others])
    const status = await scene.status(chatting)
    must(status?.state === 'succeeded', `it is ${JSON.stringify(status)}`)
    const { status: answered } = await scene.post('quick', { padding: 'x'.repeat(10_000_000) })
    must(answered === 413, `a payload of 10 MB was answered ${answered}`)
    const large = await scene.enqueue('large', {}, { wish: { unsigned: true } })
    await scene.ended([large])
    const kept = await scene.status(large)
    must(kept?.state === 'succeeded' && kept.resultError !== undefined, `a large result is ${kept?.state}`)
  },
}

export const hooks: Scenario = {
  faults: ['F52'],
  title: 'a slow start hook is waited for, and a stop hook that throws costs no job',
  async run({ open }) {
    const scene = await open({
      workers: 2,
      celeriac: quickLeases,
      prepare: (role) => ({ env: role === 'worker' ? { FAULTS_HOOKS: 'bad' } : {} }),
    })
    await scene.workersLive()
    const ids = await scene.enqueueMany(30, 'brief')
    await scene.ended(ids)
    const [seat] = scene.workers
    must(seat, 'there is no worker')
    const leaving = seat.process
    await scene.enqueueMany(10, 'brief')
    await seat.strike('SIGTERM', 'F52')
    must(
      /thrown by a hook/.test(leaving.output()),
      `nothing was said of the hook: ${leaving.output().slice(-500)}`,
    )
    await scene.ended(await scene.enqueueMany(10, 'quick'))
  },
}
