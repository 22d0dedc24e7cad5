import type { BrokerMark } from '../broker/broker.js'
import type { LastMark } from '../store/store.js'
import type { Pass } from './maintain.js'
import { start } from './walk.js'

const everyRounds = 5
/** How long before a mark a delivery may have been written and not be in the same snapshot: it may wait to be sent. */
const marginMs = 60_000

/**
 * Sees that the broker lost deliveries: every fifth round leaves a mark there, a rising number, and remembers it. Mark
 * gone: the broker was wiped. An older mark: it came back from a snapshot. Another run of the server: its last second
 * may be missing. What follows is a walk that sends again what was handed over since.
 *
 * Any process may take its ticket in each round, and does nothing while the mark is fresh: one that dies before the new
 * mark is written is followed by another in the next round.
 */
export function createBrokerLossPass(): Pass {
  let isShared = false

  return {
    name: 'broker-loss',
    every: 1,
    isNeeded: ({ mark }, intervalMs) => isStale(mark, intervalMs),
    async run({ store, broker, log }, { mark }) {
      const found = await broker.readMark()
      const loss = judge(mark, found)
      if (loss === 'foreign' && !isShared) log.warn(foreignMessage(broker.address))
      isShared = loss === 'foreign'
      if (loss && loss !== 'foreign') await beginRepair(loss)
      const written = await broker.writeMark(`${mark.installation} ${mark.now}`)
      // It was there a moment ago.
      if (written === 'made' && found.value !== undefined) await beginRepair(emptied)
      await store.rememberMark(mark.now, found.instance)
      return 0

      async function beginRepair({ message, since }: Loss): Promise<void> {
        log.warn(`${message} What waits is sent again.`)
        await store.beginWalk({ name: 'repair', since, cursor: start })
      }
    },
  }
}

/** A mark of the future is that of a clock that was put back. */
export function isStale({ mark, now }: LastMark, intervalMs: number): boolean {
  return Math.abs(now - mark) > intervalMs * (everyRounds - 0.1)
}

export interface Loss {
  readonly message: string
  /** What was handed over since, in milliseconds of the database; all when `null`. */
  readonly since: number | null
}

const emptied: Loss = { message: 'The broker was emptied, or is another one than before.', since: null }

export function judge(
  { installation, mark, instance }: LastMark,
  found: BrokerMark,
): Loss | 'foreign' | undefined {
  if (mark === 0) return undefined
  if (found.value === undefined) return emptied
  const [owner, number = 0] = found.value.split(' ')
  if (owner !== installation) return 'foreign'
  // The remembered number is a whole one.
  if (Math.round(Number(number)) < mark) {
    return { message: 'The broker has gone back to an older state.', since: Number(number) - marginMs }
  }
  if (instance !== null && found.instance !== instance) {
    return { message: 'The broker was started anew.', since: mark - marginMs }
  }
  return undefined
}

function foreignMessage(address: string): string {
  return `The broker at ${address} is used by another installation as well, under the same prefix. Give each its own "prefix", or they take each other's deliveries.`
}
