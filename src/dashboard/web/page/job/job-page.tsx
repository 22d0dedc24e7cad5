import { Link, useParams } from 'wouter'
import { isEnd } from '../../../../job/state.js'
import type { JobPage as Page_ } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { Grid } from '../../ui/card.js'
import { Copy } from '../../ui/copy.js'
import { Empty } from '../../ui/empty.js'
import { Figure } from '../../ui/facts.js'
import { ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { State } from '../../ui/state.js'
import { Duration, None, Since, Time } from '../../ui/time.js'
import { Waiting } from '../../ui/waiting.js'
import { Attempts } from './attempts.js'
import { JobFacts } from './facts.js'
import { JobActions } from './job-actions.js'
import css from './job-page.module.css'
import { Logs } from './logs.js'
import { Relatives } from './relatives.js'
import { Standing } from './standing.js'
import { tellFailures, tookOf } from './timeline.js'
import { Values } from './values.js'

/** Everything that is known of one job. */
export default function JobPage() {
  const { id = '' } = useParams<{ id: string }>()
  const { data, problem, isLoading } = useApi('GET /jobs/:id', { params: { id } })
  const page = data?.job.id === id.toLowerCase() && !isLoading ? data : undefined
  if (problem?.status === 404) return <Gone id={id} />
  if (!page)
    return (
      <Page title="Job" note={<code>{id}</code>}>
        <ProblemNote problem={problem} />
        {!problem && <Waiting height={620} />}
      </Page>
    )
  const { job } = page
  return (
    <Page
      title={`${job.task} ${job.state}`}
      head={
        <span className={css.head}>
          <Link href={`/tasks/${encodeURIComponent(job.task)}`} className={css.task}>
            {job.task}
          </Link>
          <span className={css.state}>
            <State state={job.state} />
          </span>
        </span>
      }
      note={
        <span className={css.id}>
          <code>{job.id}</code> <Copy text={job.id} label="Copy the id" />
        </span>
      }
      aside={<JobActions key={job.id} page={page} />}
    >
      <ProblemNote problem={problem} />
      <Standing page={page} />
      <Figures page={page} />
      <Values key={job.id} page={page} />
      <Attempts job={job} workers={page.workers} />
      <Logs key={`log ${job.id}`} id={job.id} isOpen={!isEnd(job.state)} />
      <JobFacts job={job} />
      <Relatives page={page} />
    </Page>
  )
}

function Figures({ page: { job, workers } }: { readonly page: Json<Page_> }) {
  const { state, attempt, workerId } = job
  return (
    <Grid least={160}>
      <Figure
        label="Created"
        value={<Time at={job.createdAt} />}
        note={
          job.finishedAt !== null && (
            <>
              ended <Time at={job.finishedAt} />
            </>
          )
        }
      />
      <Figure label="Waited" value={<Waited job={job} />} note="from when it was due" />
      <Figure label="Took" value={<Took job={job} />} note="its last attempt" />
      <Figure
        label="Attempts"
        value={attempt}
        note={tellFailures(job)}
        tone={state === 'failed' ? 'danger' : 'neutral'}
      />
      <Figure
        label="Worker"
        value={
          workerId === null ? (
            <None />
          ) : (
            <Link href={`/workers/${encodeURIComponent(workerId)}`}>
              {workers[workerId] ?? workerId.slice(-8)}
            </Link>
          )
        }
      />
    </Grid>
  )
}

type Timed = { readonly job: Json<Page_>['job'] }

function Waited({ job: { state, attempt, runAt, startedAt } }: Timed) {
  if (state === 'queued') return <Since at={runAt} />
  if (attempt === 0 || startedAt === null || state === 'scheduled' || state === 'retrying') return <None />
  return <Duration ms={Math.max(0, new Date(startedAt).getTime() - new Date(runAt).getTime())} />
}

function Took({ job }: Timed) {
  const took = tookOf(job)
  if (took === 'running' && job.startedAt !== null) return <Since at={job.startedAt} />
  return typeof took !== 'number' ? <None /> : <Duration ms={took} />
}

function Gone({ id }: { readonly id: string }) {
  return (
    <Page title="No such job" note={<code className={css.id}>{id}</code>}>
      <Empty title="There is no job with this id.">
        Finished jobs are removed after a while: how long they stay is what <code>retain</code> says, in the
        configuration or with the task. Somebody may also have deleted it, which{' '}
        <Link href="/audit?verb=delete">the audit</Link> would say.
        <br />
        <Link href="/jobs">To all jobs</Link>
      </Empty>
    </Page>
  )
}
