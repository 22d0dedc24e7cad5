import { Link } from 'wouter'
import { isEnd } from '../../../../job/state.js'
import type { JobPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { Note } from '../../ui/note.js'
import { percentOf, tellProgress } from '../../ui/reported.js'
import { Time } from '../../ui/time.js'
import css from './standing.module.css'
import { tellWaiting } from './waiting-for.js'

/** How the job stands, where there is more to say of it than its state: why it waits, how far it is, who stops it. */
export function Standing({ page }: { readonly page: Json<JobPage> }) {
  const { job } = page
  const { data: queue } = useApi(
    'GET /queues/:name',
    job.state === 'queued' ? { params: { name: job.queue } } : undefined,
  )
  const waiting = tellWaiting(page, queue?.name === job.queue ? queue : undefined)
  return (
    <>
      {waiting && (
        <Note
          kind={waiting.kind}
          title={waiting.title}
          aside={waiting.link && <Link href={waiting.link.href}>{waiting.link.label}</Link>}
        >
          {waiting.text} {waiting.command !== undefined && <code>{waiting.command}</code>}
        </Note>
      )}
      {(job.state === 'scheduled' || job.state === 'retrying') && (
        <Note
          kind="info"
          title={job.state === 'scheduled' ? 'It waits for its time.' : 'It waits for its next attempt.'}
        >
          Due <Time at={job.runAt} />
        </Note>
      )}
      {job.state === 'running' && job.cancelRequestedAt !== null && (
        <Note kind="warning" title="It has been asked to stop.">
          <Time at={job.cancelRequestedAt} />
          {job.cancelledBy !== null && ` by ${job.cancelledBy}`}
          {job.cancelReason !== null && `: ${job.cancelReason}`}. It ends as soon as its handler listens to
          its signal.
        </Note>
      )}
      {job.state === 'cancelled' && (job.cancelledBy !== null || job.cancelReason !== null) && (
        <Note kind="info" title={`Cancelled${job.cancelledBy === null ? '' : ` by ${job.cancelledBy}`}`}>
          {job.cancelReason}
        </Note>
      )}
      {job.state === 'expired' && (
        <Note kind="warning" title="It was too late to start.">
          It was to start before: <Time at={job.expiresAt} />
        </Note>
      )}
      {!isEnd(job.state) && job.progress !== undefined && job.progress !== null && (
        <Reported progress={job.progress} />
      )}
    </>
  )
}

/** What the handler reported last. */
function Reported({ progress }: { readonly progress: unknown }) {
  const percent = percentOf(progress)
  const text = tellProgress(progress) ?? ''
  return (
    <div className={css.reported}>
      <div className={css.words}>
        <span className={css.note}>{text}</span>
        {percent !== undefined && <strong>{Math.round(percent)} %</strong>}
      </div>
      {percent !== undefined && (
        <div
          className={css.track}
          role="progressbar"
          aria-label="Progress"
          aria-valuenow={Math.round(percent)}
          aria-valuemin={0}
          aria-valuemax={100}
        >
          <div className={css.bar} style={{ width: `${percent}%` }} />
        </div>
      )}
    </div>
  )
}
