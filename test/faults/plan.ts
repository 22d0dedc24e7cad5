import type { Random } from './random.js'

/** When to do what, in milliseconds from the round's beginning. */
export type Step = { readonly atMs: number } & (
  | { readonly do: 'killWorker' | 'killWeb' | 'wipe' | 'resetLinks' }
  | { readonly do: 'killRedis' | 'stopPostgres'; readonly downMs: number }
  | { readonly do: 'pauseWorker' | 'slowLinks' | 'partWorker'; readonly ms: number }
  | { readonly do: 'cutWorker' | 'cutWeb'; readonly link: Link; readonly ms: number }
)

export type Link = 'store' | 'broker'

/**
 * A round has two parts. First what hits every process: the servers. Then, when that is over, what hits one process, so
 * that the time it takes to recover can be told.
 */
export interface Round {
  readonly number: number
  readonly steps: readonly Step[]
  readonly lengthMs: number
}

export interface Shape {
  readonly rounds: number
  readonly workerKills: number
  readonly wipes: number
  /** From the last fault of the servers to the first kill. */
  readonly quietMs: number
  /** For what was killed last to start again before the servers are hit. */
  readonly restMs: number
  readonly cutMs: number
}

/** 100 kills of workers, 20 of web processes, 20 of Redis, 5 wipes, 20 stops of PostgreSQL, 40 half-open cuts. */
export const longShape: Shape = {
  rounds: 20,
  workerKills: 5,
  wipes: 5,
  quietMs: 21_000,
  restMs: 14_000,
  cutMs: 25_000,
}

export const shortShape: Shape = {
  rounds: 1,
  workerKills: 4,
  wipes: 1,
  quietMs: 1_000,
  restMs: 3_000,
  cutMs: 12_000,
}

export function planRounds(shape: Shape, random: Random): Round[] {
  const wiped = new Set(
    Array.from({ length: shape.wipes }, (_, n) => Math.floor(((n + 0.5) * shape.rounds) / shape.wipes)),
  )
  return Array.from({ length: shape.rounds }, (_, number) =>
    planRound(number, shape, wiped.has(number), random.fork(`round ${number}`)),
  )
}

function planRound(number: number, shape: Shape, wipes: boolean, random: Random): Round {
  const steps: Step[] = []
  let atMs = 0
  const later = (least: number, most: number) => {
    atMs += random.between(least, most)
    return atMs
  }

  const servers = random.shuffle(['redis', 'postgres', ...(wipes ? ['wipe'] : [])])
  for (const server of servers) {
    const downMs = random.isOneIn(3) ? 0 : random.between(200, 4000)
    if (server === 'redis') steps.push({ do: 'killRedis', atMs: later(200, 1500), downMs })
    if (server === 'postgres') steps.push({ do: 'stopPostgres', atMs: later(200, 1500), downMs })
    if (server === 'wipe') steps.push({ do: 'wipe', atMs: later(200, 1500) })
    else atMs += downMs + 1500
  }
  if (random.isOneIn(2)) steps.push({ do: 'killWorker', atMs: random.between(0, atMs) })

  const cutMs = shape.cutMs
  const serversDoneMs = atMs
  steps.push({ do: 'cutWorker', atMs: later(1500, 3000), link: linkOf(number), ms: cutMs })
  if (number % 2 === 0)
    steps.push({ do: 'cutWeb', atMs: later(0, 1000), link: linkOf(number / 2), ms: cutMs })
  else steps.push({ do: 'cutWorker', atMs: later(0, 1000), link: linkOf(number + 1), ms: cutMs })
  if (number % 4 === 3) steps.push({ do: 'partWorker', atMs: later(0, 500), ms: cutMs })
  if (number % 4 === 1)
    steps.push({ do: 'pauseWorker', atMs: later(0, 500), ms: random.between(2000, 20_000) })
  if (number % 4 === 2) steps.push({ do: 'slowLinks', atMs: later(0, 500), ms: 8000 })
  const lastCutMs = atMs

  atMs = Math.max(serversDoneMs + shape.quietMs, atMs)
  for (let kill = 0; kill < shape.workerKills; kill += 1)
    steps.push({ do: 'killWorker', atMs: later(300, 2000) })
  steps.push({ do: 'killWeb', atMs: later(0, 1500) })
  if (number % 2 === 0) steps.push({ do: 'resetLinks', atMs: later(0, 1500) })
  return { number, steps, lengthMs: Math.max(atMs + shape.restMs, lastCutMs + cutMs + 1500) }
}

function linkOf(number: number): Link {
  return number % 2 === 0 ? 'broker' : 'store'
}
