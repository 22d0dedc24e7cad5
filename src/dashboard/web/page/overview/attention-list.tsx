import { Link } from 'wouter'
import type { ClusterProblem } from '../../../../control/status.js'
import { tellCount } from '../../ui/format.js'
import { groupsOf, linksOf, partsOf } from './attention.js'
import css from './overview.module.css'

interface AttentionListProps {
  readonly problems: readonly ClusterProblem[]
  /** Of workers and queues. */
  readonly live: number
  readonly queues: number
}

/** What somebody should see to, each with what to do about it. */
export function AttentionList({ problems, live, queues }: AttentionListProps) {
  if (problems.length === 0)
    return (
      <p className={css.calm}>
        Nothing needs you. Broker and store answer;{' '}
        {live === 0
          ? 'no worker runs, and no job waits for one'
          : `${tellMany(live, 'worker')} ${live === 1 ? 'serves' : 'serve'} ${tellMany(queues, 'queue')}`}
        .
      </p>
    )
  return (
    <section className={css.attention} aria-label="What needs somebody">
      <h2>
        {problems.length === 1
          ? 'One thing needs somebody'
          : `${tellCount(problems.length)} things need somebody`}
      </h2>
      <ul>
        {groupsOf(problems).map(({ title, problems: alike }) =>
          title === undefined ? (
            alike.map((problem) => <Problem key={keyOf(problem)} problem={problem} />)
          ) : (
            <li key={alike[0]?.code}>
              <p className={css.wrong}>{title}</p>
              <details>
                <summary>Each with what to do about it</summary>
                <ul>
                  {alike.map((problem) => (
                    <Problem key={keyOf(problem)} problem={problem} />
                  ))}
                </ul>
              </details>
            </li>
          ),
        )}
      </ul>
    </section>
  )
}

function Problem({ problem }: { readonly problem: ClusterProblem }) {
  return (
    <li>
      <p className={css.wrong}>{problem.message}</p>
      <p className={css.cure}>
        {partsOf(problem.cure).map(({ text, isCommand }) =>
          isCommand ? <code key={text}>{text}</code> : text,
        )}
      </p>
      <div className={css.links}>
        {linksOf(problem).map(({ name, to }) => (
          <Link key={to} href={to}>
            {name}
          </Link>
        ))}
      </div>
    </li>
  )
}

function keyOf({ code, message }: ClusterProblem): string {
  return `${code} ${message}`
}

function tellMany(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${tellCount(count)} ${what}s`
}
