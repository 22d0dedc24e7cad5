import { createPasses } from '../../maintain/maintain.js'
import type { PassFacts, TableFacts } from '../../store/store.js'
import type { PassPage, ServerPage, SystemPage, TableSize } from './contract.js'
import type { Reading } from './route.js'
import { toBrokerFacts, toStoreFacts } from './server-facts.js'

/** `GET /system`: what the jobs stand on, as it is seen from here. What does not answer is down. */
export async function showSystem({ deps }: Reading<'GET /system'>): Promise<SystemPage> {
  const { insight, config } = deps
  const [{ store, broker }, health] = await Promise.all([deps.backend(), deps.status()])
  const ask = async <T>(asked: Promise<T>): Promise<T | null> => asked.catch(() => null)
  const [ofStore, ofBroker, passes, sights, clock] = await Promise.all([
    ask(insight.storeFacts()),
    ask(insight.brokerFacts()),
    ask(insight.passes()),
    ask(store.sights()),
    ask(store.changeClock()),
  ])
  const storePage: ServerPage = {
    ...{ kind: 'postgres', address: store.address, health: health.store, version: null, facts: [] },
    ...(ofStore && { kind: ofStore.kind, version: ofStore.version, facts: toStoreFacts(ofStore) }),
  }
  const server = ofBroker?.server
  return {
    store: storePage,
    broker: {
      ...{ kind: broker.kind, address: broker.address, health: health.broker },
      version: server && 'version' in server ? server.version : null,
      facts: ofBroker ? toBrokerFacts(ofBroker) : [],
    },
    tables: ofStore?.tables?.map(toSize) ?? [],
    dispatchLagMs: sights?.dispatchLagMs ?? null,
    passes: (passes ?? []).map((pass) => toPage(pass, clock?.now ?? new Date(), config.heartbeatMs)),
  }
}

function toSize({ name, rows, deadRows, bytes, indexBytes, indexes, vacuumedAt }: TableFacts): TableSize {
  return { name, rows, deadRows, bytes, indexBytes, indexes, vacuumedAt }
}

const rounds = new Map(createPasses().map(({ name, every }) => [name, every]))
/** What a busy or starting process may be late. */
const graceMs = 60_000
const mostMissed = 5

function toPage({ name, ranAt, repaired }: PassFacts, now: Date, heartbeatMs: number): PassPage {
  const every = rounds.get(name)
  const lateAfterMs = graceMs + mostMissed * heartbeatMs * (every ?? 1)
  // One of another version comes when it comes.
  const isOverdue = every !== undefined && now.getTime() - ranAt.getTime() > lateAfterMs
  return { name, ranAt, isOverdue, repaired }
}
