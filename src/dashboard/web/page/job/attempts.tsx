import { useState } from 'react'
import { Link } from 'wouter'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { tellDuration, tellMoment } from '../../ui/format.js'
import { Duration, None, Time, useNow } from '../../ui/time.js'
import css from './attempts.module.css'
import {
  isSameError,
  lastOf,
  placeOf,
  type TimedJob,
  type Timeline,
  type TimelineRow,
  toTimeline,
} from './timeline.js'

interface AttemptsProps {
  readonly job: TimedJob
  /** Names of workers, by id. */
  readonly workers: Readonly<Record<string, string>>
}

const usualRows = 20

/** Every attempt beside the others: what it waited, where it ran, how long, and how it ended. */
export function Attempts({ job, workers }: AttemptsProps) {
  const now = useNow()
  const [isWhole, setWhole] = useState(false)
  const shape = lastOf(toTimeline(job, now), isWhole ? Number.POSITIVE_INFINITY : usualRows)
  const { rows, hidden } = shape
  return (
    <Card
      title="Attempts"
      aside={
        hidden > 0 && (
          <Button size="small" onClick={() => setWhole(true)}>
            Show {hidden} earlier
          </Button>
        )
      }
    >
      <div className={css.grid}>
        <div className={css.axis} aria-hidden="true">
          <span>{tellMoment(shape.from)}</span>
          <span>
            {tellDuration(shape.to - shape.from)}
            {hidden === 0 && ' in all'}
          </span>
          <span>{tellMoment(shape.to)}</span>
        </div>
        <ol className={css.rows}>
          {rows.map((row, at) => (
            <Attempt
              key={row.number}
              row={row}
              before={rows[at - 1]}
              shape={shape}
              now={now}
              workers={workers}
            />
          ))}
          {shape.ahead && <Ahead shape={shape} ahead={shape.ahead} now={now} />}
          {shape.rows.length === 0 && !shape.ahead && <li className={css.none}>It never started.</li>}
        </ol>
      </div>
    </Card>
  )
}

interface AttemptProps {
  readonly row: TimelineRow
  readonly before: TimelineRow | undefined
  readonly shape: Timeline
  readonly now: number
  readonly workers: AttemptsProps['workers']
}

function Attempt({ row, before, shape, now, workers }: AttemptProps) {
  const { number, worker, waitedFrom, startedAt, endedAt, outcome, error } = row
  const wait = placeOf(shape, waitedFrom, startedAt)
  const run = placeOf(shape, startedAt, endedAt ?? now)
  const words = error ? `${error.name}: ${error.message}` : undefined
  return (
    <li className={css.row}>
      <span className={css.number}>
        <span className="hidden-but-read">Attempt </span>#{number}
      </span>
      <span className={css.track} aria-hidden="true">
        <span className={css.wait} style={{ left: `${wait.left}%`, width: `${wait.width}%` }} />
        <span
          className={`${css.run} ${css[outcome] ?? ''}`}
          style={{ left: `min(${run.left}%, 100% - 3px)`, width: `max(3px, ${run.width}%)` }}
        />
      </span>
      <span className={css.facts}>
        <span className={css.outcome}>
          <span className={`${css.mark} ${css[outcome] ?? ''}`} aria-hidden="true" />
          {outcome}
        </span>
        <span>
          <span className="hidden-but-read">took </span>
          <Duration ms={(endedAt ?? now) - startedAt} />
        </span>
        <span className={css.faint}>
          after <Duration ms={startedAt - waitedFrom} />
        </span>
        <span className={css.faint}>
          <Time at={startedAt} />
        </span>
        {worker === null ? (
          <None />
        ) : (
          <Link href={`/workers/${encodeURIComponent(worker)}`}>{workers[worker] ?? worker.slice(-12)}</Link>
        )}
      </span>
      {words !== undefined && (
        <span className={css.error} title={words}>
          {isSameError(row, before) ? 'the same error' : words}
        </span>
      )}
    </li>
  )
}

const aheadWords = { scheduled: 'starts', queued: 'waits for its turn', retrying: 'next attempt' } as const

function Ahead({
  shape,
  ahead,
  now,
}: {
  readonly shape: Timeline
  readonly ahead: NonNullable<Timeline['ahead']>
  readonly now: number
}) {
  const place = placeOf(shape, ahead.from, ahead.to)
  const here = placeOf(shape, now, now)
  return (
    <li className={css.row}>
      <span className={css.number}>…</span>
      <span className={css.track} aria-hidden="true">
        <span className={css.wait} style={{ left: `${place.left}%`, width: `max(3px, ${place.width}%)` }} />
        {ahead.to > now && <span className={css.now} style={{ left: `${here.left}%` }} />}
      </span>
      <span className={css.facts}>
        <span className={css.outcome}>{aheadWords[ahead.why]}</span>
        {ahead.why === 'queued' ? <Duration ms={ahead.to - ahead.from} /> : <Time at={ahead.to} />}
      </span>
    </li>
  )
}
