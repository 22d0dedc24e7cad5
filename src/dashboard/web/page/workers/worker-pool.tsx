import { useMay } from '../../api/use-api.js'
import { Button } from '../../ui/button.js'
import { Card, Grid } from '../../ui/card.js'
import { Facts } from '../../ui/facts.js'
import { tellCount } from '../../ui/format.js'
import { NameLink } from '../../ui/name-link.js'
import { Badge } from '../../ui/state.js'
import { type Draft, emptyDraft, tellRange } from './order.js'
import type { Give, WorkerData } from './worker-page.js'
import css from './workers.module.css'

interface WorkerPoolProps {
  readonly worker: WorkerData
  /** Without it nothing can be told: it does not live. */
  readonly give?: Give
}

/** How much it runs at once, and of which queues; and the way to change that. */
export function WorkerPool({ worker, give }: WorkerPoolProps) {
  const giveQueues = useMay('worker.queues') ? give : undefined
  return (
    <Grid least={440}>
      <Pool worker={worker} {...(give ? { give } : {})} />
      <Card
        title="Queues"
        note="In the order in which it prefers them."
        aside={
          giveQueues && (
            <Button size="small" onClick={() => giveQueues('queue-add')}>
              Add…
            </Button>
          )
        }
      >
        <ul className={css.queues}>
          {worker.queues.map((queue) => (
            <li key={queue}>
              <NameLink kind="queue" name={queue} />
              {worker.stats?.paused.includes(queue) && <Badge tone="warning">paused</Badge>}
              {giveQueues && worker.queues.length > 1 && (
                <Button
                  kind="plain"
                  size="small"
                  aria-label={`Remove ${queue}`}
                  onClick={() => giveQueues('queue-remove', { queue })}
                >
                  Remove…
                </Button>
              )}
            </li>
          ))}
        </ul>
      </Card>
    </Grid>
  )
}

function Pool({ worker, give }: WorkerPoolProps) {
  const { stats, concurrency, pool } = worker
  const mayResize = useMay('worker.pool')
  const autoscale = stats?.autoscale ?? null
  return (
    <Card
      title="Pool"
      aside={
        give &&
        mayResize && (
          <>
            {!autoscale && (
              <>
                <Button size="small" onClick={() => give('pool-grow')}>
                  Grow…
                </Button>
                <Button size="small" disabled={concurrency <= 1} onClick={() => give('pool-shrink')}>
                  Shrink…
                </Button>
              </>
            )}
            <Button size="small" onClick={() => give('autoscale', toDraft(autoscale, concurrency))}>
              Autoscale…
            </Button>
            {pool !== 'inline' && (
              <Button size="small" onClick={() => give('pool-restart')}>
                Restart…
              </Button>
            )}
          </>
        )
      }
    >
      <Facts
        facts={[
          ['Kind', kinds[pool] ?? pool],
          ['At once', tellCount(concurrency)],
          ['Autoscale', autoscale ? tellRange(autoscale) : 'off'],
          ...(pool === 'inline' ? [] : [['Children', stats ? tellCount(stats.children) : '–'] as const]),
          ['Log level', stats?.logLevel ?? '–'],
        ]}
      />
    </Card>
  )
}

const kinds: Readonly<Record<string, string>> = {
  inline: 'inline: in its event loop',
  thread: 'threads',
  process: 'processes',
}

type Range = NonNullable<NonNullable<WorkerData['stats']>['autoscale']>

function toDraft(range: Range | null, concurrency: number): Partial<Draft> {
  const { min, max } = range ?? { min: 1, max: Math.max(concurrency, Number(emptyDraft.max)) }
  return { min: String(min), max: String(max) }
}
