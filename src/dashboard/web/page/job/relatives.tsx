import { Link } from 'wouter'
import type { JobPage, Relative } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Card } from '../../ui/card.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { State } from '../../ui/state.js'
import css from './relatives.module.css'

/** The job that enqueued this one, and those that this one enqueued. */
export function Relatives({
  page: { job, parent, children, hasMoreChildren },
}: {
  readonly page: Json<JobPage>
}) {
  if (job.parentId === null && children.length === 0) return null
  return (
    <Card
      title="Parent and children"
      aside={children.length > 0 && <Link href={jobsLink({ parent: job.id })}>All in the list</Link>}
    >
      {job.parentId !== null && (
        <p className={css.parent}>
          Enqueued by{' '}
          {parent ? (
            <RelativeLink relative={parent} />
          ) : (
            <>
              the job <code>{job.parentId}</code>, which is gone
            </>
          )}
        </p>
      )}
      {children.length > 0 && (
        <ul className={css.children}>
          {children.map((child) => (
            <li key={child.id}>
              <RelativeLink relative={child} />
            </li>
          ))}
        </ul>
      )}
      {hasMoreChildren && <p className={css.more}>The first 100. The list has all of them.</p>}
    </Card>
  )
}

function RelativeLink({ relative: { id, task, state } }: { readonly relative: Json<Relative> }) {
  return (
    <span className={css.relative}>
      <State state={state} />
      <Link href={`/jobs/${id}`}>{task}</Link>
      <code className={css.id} title={id}>
        {id.slice(-8)}
      </code>
    </span>
  )
}
