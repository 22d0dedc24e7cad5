import { until } from '../../test/support/until.js'
import type { Faulty } from '../contender/fault.js'
import { type Contender, startContender } from '../contender.js'
import type { Finding } from '../finding.js'
import { embeddedDefault, names, twoServers } from '../lanes.js'
import type { Part } from '../part.js'
import { show } from '../rounds.js'

const blockMs = 70_000
/** Longer than anybody takes to find the dead. */
const workMs = 180_000
const timeoutMs = 300_000
const longestRecoverySeconds = 20

interface Subject {
  readonly name: string
  readonly program: string
  readonly settings: object
  /** What is promised; nobody promises anything for BullMQ alone. */
  readonly isOurs: boolean
}

/** What a fault costs, with the default times: all at once, since they mostly wait. */
export const faults: Part = async (servers) => {
  const raw = { redisUrl: servers.newRedis() }
  const subjects: Subject[] = [
    { name: names.onRedis, program: 'fault-celeriac', settings: await twoServers(servers), isOurs: true },
    {
      name: names.onEmbedded,
      program: 'fault-celeriac',
      settings: await embeddedDefault(servers),
      isOurs: true,
    },
    { name: names.raw, program: 'fault-raw', settings: raw, isOurs: false },
  ]
  const [killed, blocked] = await Promise.all([
    Promise.all(subjects.map(killWorker)),
    Promise.all(subjects.map(blockWorker)),
  ])
  return [...killed, ...blocked]
}

/** `kill -9` in the middle of a job: how long until another worker starts it again? */
async function killWorker(subject: Subject): Promise<Finding> {
  const crew = await startCrew(subject, 'killed')
  try {
    const id = await crew.startJob({ workMs })
    const again = crew.second.ask('nextStart')
    const killedAt = performance.now()
    crew.first.kill()
    await again
    const seconds = (performance.now() - killedAt) / 1000
    console.error(`  ${subject.name}: started again ${show(seconds)} s after kill -9`)
    const outcome = await crew.outcome(id)
    return {
      part: 'faults',
      name: `${subject.name}: kill -9 to second start`,
      figure: `${show(seconds)} s, then ${outcome}`,
      ...(subject.isOurs
        ? {
            target: `≤ ${longestRecoverySeconds} s, succeeded`,
            met: seconds <= longestRecoverySeconds && outcome.startsWith('succeeded'),
          }
        : {}),
    }
  } finally {
    await crew.close()
  }
}

/** A handler that blocks the event loop for longer than a lease: does another worker start it as well? */
async function blockWorker(subject: Subject): Promise<Finding> {
  const crew = await startCrew(subject, 'blocked')
  try {
    const id = await crew.startJob({ blockMs })
    const outcome = await crew.outcome(id)
    // A worker that is blocked answers when it is free again.
    const starts = (await crew.first.ask('starts')) + (await crew.second.ask('starts'))
    console.error(`  ${subject.name}: ${starts} starts of a job that blocks, ${outcome}`)
    return {
      part: 'faults',
      name: `${subject.name}: blocks for ${blockMs / 1000} s`,
      figure: `${starts} ${starts === 1 ? 'start' : 'starts'}, ${outcome}`,
      ...(subject.isOurs
        ? { target: '1 start, succeeded', met: starts === 1 && outcome.startsWith('succeeded') }
        : {}),
    }
  } finally {
    await crew.close()
  }
}

interface Crew {
  readonly first: Contender<Faulty>
  readonly second: Contender<Faulty>
  /** Adds a job that the first worker starts; the second comes after that. */
  startJob(payload: Parameters<Faulty['add']>[0]): Promise<string>
  /** Waits for the job's end. */
  outcome(id: string): Promise<string>
  close(): Promise<void>
}

/** Two workers, and a process without one that watches. */
async function startCrew({ program, settings }: Subject, queue: string): Promise<Crew> {
  const all: Contender<Faulty>[] = []
  for (let count = 0; count < 3; count += 1) all.push(await startContender(program, { ...settings, queue }))
  const [first, second, watcher] = all as [Contender<Faulty>, Contender<Faulty>, Contender<Faulty>]
  return {
    first,
    second,
    async startJob(payload) {
      await first.ask('work')
      const started = first.ask('nextStart')
      const id = await watcher.ask('add', payload)
      await started
      await second.ask('work')
      return id
    },
    outcome: (id) => until(() => watcher.ask('outcome', id), { timeoutMs, everyMs: 250 }) as Promise<string>,
    async close() {
      await Promise.all(all.map((each) => each.close()))
    },
  }
}
