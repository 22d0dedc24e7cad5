import type { BrokerMark } from '../broker/broker.js'
import type { LastMark } from '../store/store.js'
import type { Pass } from './maintain.js'
import { start } from './walk.js'

/** How long before a mark a delivery may have been handed over and not be in the same snapshot. */
const marginMs = 5000

/**
 * Sees that the broker lost deliveries: each round leaves a mark there, a rising number, and remembers it. Mark gone: the
 * broker was wiped. An older mark: it came back from a snapshot. Another run of the server: its last second may be
 * missing. What follows is a walk that sends again what was handed over since.
 */
export const brokerLossPass: Pass = {
  name: 'broker-loss',
  every: 5,
  isNeeded: () => true,
  async run({ store, broker, log }, { mark, walks }) {
    const found = await broker.readMark()
    const loss = judge(mark, found)
    if (loss === 'foreign') log.warn(foreignMessage(broker.address))
    else if (loss) {
      log.warn(`${loss.message} What waits is sent again.`)
      const earlier = walks.find(({ name }) => name === 'repair')
      await store.saveWalk({ name: 'repair', since: earliest(loss.since, earlier?.since), cursor: start })
    }
    await broker.writeMark(`${mark.installation} ${mark.now}`)
    await store.rememberMark(mark.now, found.instance)
    return 0
  },
}

interface Loss {
  readonly message: string
  /** What was handed over since, in milliseconds of the database; all when `null`. */
  readonly since: number | null
}

export function judge(
  { installation, mark, instance }: LastMark,
  found: BrokerMark,
): Loss | 'foreign' | undefined {
  if (mark === 0) return undefined
  if (found.value === undefined) return { message: 'The broker was emptied.', since: null }
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

/** `undefined`: there is no earlier walk. */
function earliest(since: number | null, earlier: number | null | undefined): number | null {
  if (earlier === undefined) return since
  return since === null || earlier === null ? null : Math.min(since, earlier)
}

function foreignMessage(address: string): string {
  return `The broker at ${address} is used by another installation as well, under the same prefix. Give each its own "prefix", or they take each other's deliveries.`
}
