import { Figure, Figures } from '../../ui/facts.js'
import { tellBytes, tellCount, tellDuration, tellPart } from '../../ui/format.js'
import { None } from '../../ui/time.js'
import { groupOf } from './condition.js'
import { tellRange } from './order.js'
import type { WorkerData } from './worker-page.js'

/** What slows all that runs in an event loop. */
const lateMs = 100

/** What it said last of itself, at a glance. */
export function WorkerFigures({ worker }: { readonly worker: WorkerData }) {
  const { stats, concurrency, state } = worker
  const isLive = groupOf(state) === 'live'
  const failed = stats?.outcomes.failed ?? 0
  const ended = stats?.processed ?? 0
  return (
    <Figures columns={6}>
      <Figure
        label="Running"
        value={stats ? `${tellCount(isLive ? stats.running : 0)} / ${tellCount(concurrency)}` : <None />}
        note={stats?.autoscale ? `autoscaled, ${tellRange(stats.autoscale)}` : reservedOf(worker)}
      />
      <Figure
        label="Processed"
        value={stats ? tellCount(ended) : <None />}
        note={
          stats ? `${tellCount(failed)} failed, ${tellPart(failed / Math.max(1, ended))}` : 'nothing said yet'
        }
      />
      <Figure
        label="Memory"
        value={stats ? tellBytes(stats.memory.rss) : <None />}
        note={stats && `heap ${tellBytes(stats.memory.heapUsed)} of ${tellBytes(stats.memory.heapTotal)}`}
      />
      <Figure
        label="Loop delay"
        value={stats ? tellDuration(stats.loopDelayMs) : <None />}
        tone={isLive && stats && stats.loopDelayMs > lateMs ? 'warning' : 'neutral'}
        note="p99 of the last seconds"
      />
      <Figure
        label="CPU"
        value={stats ? tellPart(stats.cpu) : <None />}
        note={stats ? `of a core; load ${(stats.load[0] ?? 0).toFixed(1)}` : undefined}
      />
      <Figure
        label="Up"
        value={stats ? tellDuration(stats.uptimeMs) : <None />}
        note={
          stats && stats.unsettled > 0
            ? `${tellCount(stats.unsettled)} ends not recorded yet`
            : 'since its start'
        }
        tone={stats && stats.unsettled > 0 ? 'warning' : 'neutral'}
      />
    </Figures>
  )
}

function reservedOf({ stats }: WorkerData): string {
  const reserved = stats?.reserved ?? 0
  return reserved === 0 ? 'none claimed beside' : `${tellCount(reserved)} more claimed`
}
