import { type Check, fault, ok, warning } from './check.js'
import { serverOf } from './database.js'
import type { Facts } from './facts.js'

const noticedMs = 2000
const harmfulMs = 30_000

/** Jobs go by the database's clock; BullMQ's locks and delays, logs and tokens go by this machine's. */
export const clockCheck: Check = {
  id: 'clock',
  title: 'clocks',
  judge(facts) {
    const skews = skewsOf(facts)
    const [worst] = skews.toSorted((a, b) => Math.abs(b.ms) - Math.abs(a.ms))
    if (!worst) return undefined
    const by = Math.abs(worst.ms)
    if (by < noticedMs) return ok('agree within 2 s')
    const message = `This machine's clock is ${(by / 1000).toFixed(1)} s ${worst.ms > 0 ? 'ahead of' : 'behind'} that of ${worst.server}.`
    const cure = 'Let both keep the time by NTP (chrony, systemd-timesyncd).'
    return by < harmfulMs ? warning(message, cure) : fault(message, cure)
  },
}

function skewsOf(facts: Facts): { readonly server: string; readonly ms: number }[] {
  const server = serverOf(facts)
  const { broker } = facts
  const redis = broker?.kind === 'redis' && 'skewMs' in broker.redis ? broker.redis : undefined
  return [
    ...(server ? [{ server: 'PostgreSQL', ms: server.skewMs }] : []),
    ...(redis ? [{ server: 'Redis', ms: redis.skewMs }] : []),
  ]
}
