import { Link } from 'wouter'
import { useApi } from '../../api/use-api.js'
import { JsonView } from '../../ui/json.js'
import { Note, ProblemNote } from '../../ui/note.js'
import { Progress } from '../../ui/progress.js'
import { State } from '../../ui/state.js'
import { Since } from '../../ui/time.js'
import css from './payload-form.module.css'
import { isEnded, percentOf } from './run-progress.js'

interface RunOutcomeProps {
  readonly id: string
  /** `false`: a job that is alike was there already. */
  readonly isNew: boolean
}

/** The job that was enqueued, as it goes on, and what came of it. */
export function RunOutcome({ id, isNew }: RunOutcomeProps) {
  const { data, problem } = useApi('GET /jobs/:id', { params: { id } })
  const job = data?.job.id === id ? data.job : undefined
  const percent = job && percentOf(job.progress)
  return (
    <section aria-label="The job" className={css.fields}>
      <Note kind={job?.state === 'failed' ? 'danger' : isNew ? 'success' : 'info'} title={title(isNew)}>
        <Link href={`/jobs/${id}`}>{id}</Link>
      </Note>
      <ProblemNote problem={problem} />
      <p role="status">{job ? <State state={job.state} /> : 'Looking at it …'}</p>
      {job && !isEnded(job.state) && (
        <>
          {percent !== undefined && <Progress label="Progress, percent" done={percent} of={100} />}
          <p className={css.hint}>
            This shows its result when it has ended. It has been there for <Since at={job.createdAt} />
            {data?.waitingFor === 'worker' ? ', and no live worker serves its queue.' : '.'}
          </p>
        </>
      )}
      {job?.state === 'succeeded' && <JsonView label="result" value={job.result ?? null} />}
      {job?.error && isEnded(job.state) && (
        <p className={css.wrong}>
          {job.error.name}: {job.error.message}
        </p>
      )}
    </section>
  )
}

function title(isNew: boolean): string {
  return isNew ? 'The job is enqueued' : 'A job with the same key is there already'
}
