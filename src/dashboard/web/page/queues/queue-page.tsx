import { useState } from 'react'
import { Link } from 'wouter'
import type { QueuePage as Queue } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi, useMay } from '../../api/use-api.js'
import { useName } from '../../api/use-name.js'
import { useRange, useSearch } from '../../api/use-search.js'
import { Button } from '../../ui/button.js'
import { Grid } from '../../ui/card.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { Note, ProblemNote } from '../../ui/note.js'
import { OperationById } from '../../ui/operation.js'
import { Page } from '../../ui/page.js'
import { RangeChoice } from '../../ui/range-choice.js'
import { SeriesCharts } from '../../ui/series-charts.js'
import { Badge } from '../../ui/state.js'
import { Waiting } from '../../ui/waiting.js'
import { LimitsCard } from '../limits/limits-card.js'
import { WhoSetIt } from '../limits/who-set-it.js'
import { Pause } from './pause.js'
import { PurgeDialog } from './purge-dialog.js'
import { QueueFigures } from './queue-figures.js'
import { QueueTasks } from './queue-tasks.js'
import { QueueWorkers } from './queue-workers.js'
import css from './queues.module.css'
import { UnservedNotes } from './unserved-notes.js'

/** A queue: what waits in it, over time, who serves it, and what limits it. */
export default function QueuePage() {
  const name = useName()
  const [range] = useRange()
  const search = useSearch()
  const { data, problem } = useApi('GET /queues/:name', { params: { name }, query: { range } })
  const queue = data?.name === name ? data : undefined
  const operation = search.get('operation')
  return (
    <Page
      title={`Queue ${name}`}
      head={
        <span className={css.head}>
          {name} {queue?.isPaused && <Badge tone="warning">paused</Badge>}
        </span>
      }
      note={<Link href="/queues">Queues</Link>}
      aside={
        <>
          {queue && <QueueActions key={name} queue={queue} />}
          <RangeChoice />
        </>
      }
    >
      {operation !== '' && (
        <OperationById id={operation} onClose={() => search.set({ operation: undefined })} />
      )}
      <ProblemNote problem={problem} />
      <UnservedNotes only={name} />
      {queue?.paused && (
        <Note kind="warning" title="Paused">
          No worker starts a job of this queue until it is resumed. It was paused{' '}
          <WhoSetIt set={queue.paused} />.
        </Note>
      )}
      {queue ? (
        <>
          <QueueFigures queue={queue} />
          <SeriesCharts series={queue.series} />
          <Grid least={440}>
            <QueueTasks queue={queue} />
            <QueueWorkers queue={name} />
            <LimitsCard key={name} scope={{ queue: name }} limits={queue.limits} />
          </Grid>
        </>
      ) : (
        !problem && <Waiting height={560} />
      )}
    </Page>
  )
}

function QueueActions({ queue }: { readonly queue: Json<Queue> }) {
  const { name, isPaused, waiting } = queue
  const search = useSearch()
  const mayPurge = useMay('queue.purge')
  const mayCancel = useMay('job.cancel')
  const [isPurging, setPurging] = useState(false)
  return (
    <>
      <Link href={jobsLink({ queue: [name], range: 'all' })}>Its jobs</Link>
      <a href={`board/queue/${encodeURIComponent(name)}`}>bull-board</a>
      <Pause queue={name} isPaused={isPaused} waiting={waiting} />
      {mayPurge && mayCancel && (
        <Button kind="danger" onClick={() => setPurging(true)}>
          Purge
        </Button>
      )}
      {isPurging && (
        <PurgeDialog
          queue={queue}
          onClose={() => setPurging(false)}
          onBegun={(operation) => search.set({ operation }, { isStep: true })}
        />
      )}
    </>
  )
}
