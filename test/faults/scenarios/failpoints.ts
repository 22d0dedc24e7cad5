import { join } from 'node:path'
import { ask } from '../client.js'
import { type Failpoints, prepareFailpoints, readPassed } from '../failpoints/failpoints.js'
import type { Random } from '../random.js'
import { eventually, must, type Scenario, type Stage, sleep } from '../scenario.js'
import type { Scene } from '../scene.js'
import type { Seat } from '../site.js'
import type { Order } from '../workload.js'

type Role = Seat['role']

/** One side of one failpoint, in one kind of process, and how often that passes it when nothing goes wrong. */
interface Side {
  readonly role: Role
  readonly point: string
  readonly when: 'before' | 'after'
  readonly passes: number
}

/** A process that serves for so long and has not passed its failpoint is told to stop: some are on that way. */
const tellToStopMs = 4000
/** Each round of maintenance is for one process, and that may be another one for a while. */
const tellToStopInMaintenanceMs = 10_000
const maintenance = /maintain|round|lost|repairs|outbox|prune|walk|mark/
/** A machine with much to do needs so long to start one. */
const startMs = 20_000

/**
 * First the app runs without a fault, to find what it passes. Then it runs on and on, and each process that starts is
 * armed with the next of these: it is killed there, replaced, and the next one is armed.
 */
export const killedAtAwaits: Scenario = {
  faults: ['F2', 'F3', 'F4'],
  title:
    'processes are killed before and after the awaits of enqueue, dispatch, claim, settle, acknowledge and maintenance',
  async run(stage) {
    const failpoints = prepareFailpoints({
      dist: join(stage.code, 'dist'),
      folder: join(stage.folder, 'failpoints'),
    })
    const sides = await findSides(stage, failpoints)
    const chosen = stage.random.shuffle(sides).slice(0, Math.ceil(sides.length * stage.share))
    const missed = await killAtEach(stage, failpoints, chosen)
    stage.count('failpoints found', sides.length)
    stage.count('failpoints tried', chosen.length)
    stage.count('failpoints not reached', missed.length)
    for (const { role, point, when } of missed) stage.say(`not reached in a ${role}: ${when} ${point}`)
    must(
      missed.length <= chosen.length / 4,
      `only ${chosen.length - missed.length} of ${chosen.length} were reached`,
    )
  },
}

async function findSides(stage: Stage, failpoints: Failpoints): Promise<Side[]> {
  const fileOf = (role: Role) => join(stage.folder, `passed-${role}`)
  const scene = await stage.open({ prepare: (role) => failpoints.start({ record: fileOf(role) }) })
  await scene.workersLive()
  const load = scene.load({ jobs: 120, clients: 8, jobsPerSecond: 40, order: orderAll })
  await load.done
  await allEnded(scene)
  await Promise.all(scene.seats.map((seat) => seat.strike('SIGTERM', 'F2')))
  return (['web', 'worker'] as const).flatMap((role) =>
    readPassed(fileOf(role)).map(({ point, when, passes }) => ({ role, point, when, passes })),
  )
}

/** Gives those that no process passed. */
async function killAtEach(stage: Stage, failpoints: Failpoints, sides: readonly Side[]): Promise<Side[]> {
  const waiting = {
    web: sides.filter(({ role }) => role === 'web'),
    worker: sides.filter(({ role }) => role === 'worker'),
  }
  const armed = new Map<string, Side>()
  const missed: Side[] = []
  const scene = await stage.open({
    webs: 2,
    workers: 3,
    concurrency: 4,
    prepare(role, _starts, seat) {
      // The first of each role is left alone, so that somebody goes on.
      const next = seat.endsWith('-0') ? undefined : waiting[role].shift()
      if (!next) return {}
      armed.set(seat, next)
      return failpoints.start({ armed: [{ ...next, pass: passToKill(next, stage.random) }] })
    },
  })
  const load = scene.load({ jobs: Number.POSITIVE_INFINITY, clients: 6, jobsPerSecond: 25, order: orderAll })
  const busy = scene.seats.filter(({ name }) => !name.endsWith('-0'))
  await Promise.all(busy.map((seat) => wearOut(seat)))
  load.finish()
  await load.done
  await allEnded(scene)
  return missed

  /** Until no failpoint is left for this seat. */
  async function wearOut(seat: Seat): Promise<void> {
    for (let side = armed.get(seat.name); side; side = armed.get(seat.name)) {
      const process = seat.process
      const served = eventually(() => serves(scene, seat), `${seat.name} did not serve`, startMs).catch(
        () => {},
      )
      const how = await Promise.race([
        process.ended,
        served.then(() => sleep(patience(side))).then(() => 'too late'),
      ])
      if (how === 'too late') await seat.strike('SIGTERM', 'F2 not reached')
      if ((await process.ended) !== 'SIGKILL') missed.push(side)
      armed.delete(seat.name)
      await eventually(() => seat.process !== process, `${seat.name} was not started again`)
    }
  }
}

async function serves(scene: Scene, { role, url, process }: Seat): Promise<boolean> {
  if (process.hasEnded) return true
  if (role === 'web') return (await ask(`${url}/jobs/00000000-0000-7000-8000-000000000000`)).status === 404
  const [row] = await scene.sql('SELECT 1 FROM celeriac.worker WHERE pid = $1', [process.pid]).catch(() => [])
  return row !== undefined
}

function patience({ point }: Side): number {
  return maintenance.test(point) ? tellToStopInMaintenanceMs : tellToStopMs
}

/** Its first passing is where most goes wrong; half of the time it is another one. */
function passToKill({ passes }: Side, random: Random): number {
  return random.isOneIn(2) ? 1 : random.between(1, Math.min(passes, 3))
}

function orderAll(random: Random): Order {
  const part = random.next()
  if (part < 0.5) return { task: 'quick' }
  if (part < 0.7) return { task: 'brief' }
  if (part < 0.8) return { task: 'slow', payload: { ms: 700 } }
  if (part < 0.9) return { task: 'flaky', payload: { failures: 1 } }
  return { task: 'quick', delayMs: 400 }
}

async function allEnded(scene: Scene): Promise<void> {
  await eventually(
    async () => {
      const [row] = await scene
        .sql<{ open: number }>('SELECT count(*)::int AS open FROM celeriac.job WHERE finished_at IS NULL')
        .catch(() => [])
      return row?.open === 0
    },
    'jobs had no end',
    60_000,
  )
}
