import { eventually, must, quickLeases, type Scenario, sleep } from '../scenario.js'

export const neverSettles: Scenario = {
  faults: ['F9'],
  title: 'a handler that never settles ends failed at its time limit, and its slot is free again',
  async run({ open }) {
    const scene = await open({ concurrency: 1 })
    const stuck = await scene.enqueue('endless')
    await scene.started(stuck)
    const behind = await scene.enqueue('quick')
    await scene.ended([stuck, behind], 40_000)
    const status = await scene.status(stuck)
    must(status?.state === 'failed', `the job that never settles is ${status?.state}`)
    must(status.error?.code === 'TIME_LIMIT', `its error is ${JSON.stringify(status.error)}`)
    must((await scene.status(behind))?.state === 'succeeded', 'the job behind it did not succeed')
    must((await scene.effects(stuck)).length === 1, 'it was started twice')
  },
}

export const endsItsProcess: Scenario = {
  faults: ['F10'],
  title: 'a handler that ends its process costs the others one lost attempt, and all of them end',
  async run({ open }) {
    // A job that is beside three of them in turn must not be taken for one of them.
    const scene = await open({ workers: 2, concurrency: 5, celeriac: { ...quickLeases, maxLost: 10 } })
    const beside = await scene.enqueueMany(4, 'slow', { ms: 3000 })
    await Promise.all(beside.map((id) => scene.started(id)))
    const careless: string[] = []
    for (const how of ['exit', 'uncaught', 'unhandled']) {
      const id = await scene.enqueue('careless', { how })
      careless.push(id)
      await scene.started(id, 2)
    }
    await scene.ended([...beside, ...careless])
    for (const id of careless) {
      const status = await scene.status(id)
      must(
        status?.state === 'succeeded' && status.attempt === 2,
        `a careless job is ${JSON.stringify(status)}`,
      )
      must(status.attempts[0]?.outcome === 'lost', 'its first attempt does not stand in its row as lost')
    }
    for (const id of beside)
      must((await scene.status(id))?.state === 'succeeded', 'a job beside it did not succeed')
  },
}

/** As Solid Queue's suite does it: real signals, to real processes that run something. */
export const toldToStop: Scenario = {
  faults: ['F11'],
  title:
    'a worker that is told to stop gives back what it cannot finish, and another one has it within two seconds',
  async run({ open, broker }) {
    const scene = await open({ workers: 2, concurrency: 12, workerArgs: ['--grace', '500ms'] })
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await scene.workersLive()
      const ids = await scene.enqueueMany(6, 'slow', { ms: 5000 })
      const starts = await Promise.all(ids.map((id) => scene.started(id)))
      const seat = scene.workers.find(({ process }) => starts.some(({ pid }) => pid === process.pid))
      must(seat, 'no worker has begun')
      const leaving = seat.process
      const mine = ids.filter((_, at) => starts[at]?.pid === leaving.pid)
      await scene.enqueueMany(20, 'quick')
      await seat.strike(signal, 'F11')
      const exitedAt = Date.now()
      must((await leaving.ended) === 0, `after ${signal} it ended with ${await leaving.ended}`)
      for (const id of mine) {
        const next = await scene.started(id, 2)
        must(next.at - exitedAt < 2000, `after ${signal} on ${broker} a job waited ${next.at - exitedAt} ms`)
      }
      await scene.ended(ids)
    }
  },
}

export const poisons: Scenario = {
  faults: ['F5'],
  title: 'a job that kills its worker each time fails after three, and the others go on',
  long: true,
  async run({ open }) {
    const scene = await open({ workers: 2, concurrency: 4 })
    const others = await scene.enqueueMany(100, 'brief')
    const poison = await scene.enqueue('poison')
    await scene.ended([poison, ...others], 60_000)
    const status = await scene.status(poison)
    must(status?.state === 'failed', `it is ${status?.state}`)
    must(status.error?.name === 'WorkerLostError', `its error is ${JSON.stringify(status.error)}`)
    must(
      (await scene.effects(poison)).length === 3,
      `it was started ${(await scene.effects(poison)).length} times`,
    )
  },
}

export const standsStill: Scenario = {
  faults: ['F7'],
  title: 'a worker that stands still for 75 s writes nothing late, and is of use again',
  long: true,
  async run({ open }) {
    const scene = await open({ workers: 2, concurrency: 4, celeriac: {} })
    const ids = await scene.enqueueMany(8, 'slow', { ms: 2000 })
    const starts = await Promise.all(ids.map((id) => scene.started(id)))
    const seat = scene.workers.find(({ process }) => starts.some(({ pid }) => pid === process.pid))
    must(seat, 'no worker has begun')
    const at = Date.now()
    seat.process.signal('SIGSTOP')
    await scene.ended(ids, 70_000)
    await sleep(Math.max(0, at + 75_000 - Date.now()))
    seat.process.signal('SIGCONT')
    scene.faults.write({
      at,
      until: Date.now(),
      kind: 'pause',
      target: 'worker',
      pid: seat.process.pid,
      name: 'F7',
    })
    await eventually(async () => {
      const more = await scene.enqueueMany(8, 'brief')
      await scene.ended(more)
      const effects = await Promise.all(more.map((id) => scene.effects(id)))
      return effects.flat().some(({ pid }) => pid === seat.process.pid)
    }, 'it took no job after it went on')
  },
}
