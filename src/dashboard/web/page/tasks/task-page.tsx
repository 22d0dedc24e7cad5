import { Link } from 'wouter'
import type { TaskPage as Task } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi, useMay } from '../../api/use-api.js'
import { useName } from '../../api/use-name.js'
import { useRange, useSearch } from '../../api/use-search.js'
import { Button } from '../../ui/button.js'
import { Grid } from '../../ui/card.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { NameLink } from '../../ui/name-link.js'
import { Note, ProblemNote } from '../../ui/note.js'
import { OperationById } from '../../ui/operation.js'
import { Page } from '../../ui/page.js'
import { RangeChoice } from '../../ui/range-choice.js'
import { SeriesCharts } from '../../ui/series-charts.js'
import { Badge } from '../../ui/state.js'
import { Waiting } from '../../ui/waiting.js'
import { LimitsCard } from '../limits/limits-card.js'
import { TimeLimitCard } from '../limits/time-limit-card.js'
import { RunDialog } from './run-dialog.js'
import { SchemaCard } from './schema-card.js'
import { standingOf, tellSource } from './standing.js'
import { TaskErrors } from './task-errors.js'
import { TaskFigures } from './task-figures.js'
import { TaskOptions } from './task-options.js'

/** A task: how it does, what its payload is, what holds for its jobs; and a form to run it. */
export default function TaskPage() {
  const name = useName()
  const [range] = useRange()
  const search = useSearch()
  const { data, problem } = useApi('GET /tasks/:name', { params: { name }, query: { range } })
  const task = data?.name === name ? data : undefined
  const operation = search.get('operation')
  return (
    <Page
      title={`Task ${name}`}
      head={name}
      note={<Where task={task} />}
      aside={
        <>
          <Actions name={name} task={task} />
          <RangeChoice />
        </>
      }
    >
      {operation !== '' && (
        <OperationById id={operation} onClose={() => search.set({ operation: undefined })} />
      )}
      <ProblemNote problem={problem} />
      {task ? <Parts key={name} task={task} /> : !problem && <Waiting height={560} />}
    </Page>
  )
}

function Where({ task }: { readonly task: Json<Task> | undefined }) {
  return (
    <>
      <Link href="/tasks">Tasks</Link>
      {task && task.queue !== null && (
        <>
          {' · queue '}
          <NameLink kind="queue" name={task.queue} />
        </>
      )}
      {task?.source && <span title={task.source}>{` · ${tellSource(task.source)}`}</span>}
    </>
  )
}

function Actions({ name, task }: { readonly name: string; readonly task: Json<Task> | undefined }) {
  const search = useSearch()
  const mayRun = useMay('task.enqueue')
  return (
    <>
      <Link href={jobsLink({ task: [name], range: 'all' })}>Its jobs</Link>
      {mayRun && task && (
        <Button kind="primary" onClick={() => search.set({ run: '1' }, { isStep: true })}>
          Run it
        </Button>
      )}
      {mayRun && task && search.get('run') !== '' && (
        <RunDialog task={task} onClose={() => search.set({ run: undefined })} />
      )}
    </>
  )
}

function Parts({ task }: { readonly task: Json<Task> }) {
  const standing = standingOf(task)
  const scope = { task: task.name }
  return (
    <>
      {standing && (
        <Note
          kind={standing.tone === 'info' ? 'info' : 'warning'}
          title={<Badge tone={standing.tone}>{standing.word}</Badge>}
        >
          {standing.means}
        </Note>
      )}
      <TaskFigures task={task} />
      <SeriesCharts series={task.series} />
      <TaskErrors task={task.name} range={task.range} />
      <SchemaCard schema={task.schema} />
      <TaskOptions task={task} />
      <Grid least={320}>
        <LimitsCard scope={scope} limits={task.limits} />
        <TimeLimitCard task={task.name} timeLimit={task.timeLimit} />
      </Grid>
    </>
  )
}
