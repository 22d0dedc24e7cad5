import { Link } from 'wouter'
import css from './pager.module.css'

interface PagerProps {
  readonly sort: 'newest' | 'oldest'
  /** Where this page begins; empty: at the beginning. */
  readonly cursor: string
  /** Where the next one begins. */
  readonly next: string | null
  /** The address of this list from a place on. */
  hrefOf(cursor: string): string
}

/** Steps through the list. How one came to a page stands in its step of the browser's history. */
export function Pager({ sort, cursor, next, hrefOf }: PagerProps) {
  const trail = readTrail(history.state)
  const [before, after] = sort === 'newest' ? ['Newer', 'Older'] : ['Older', 'Newer']
  return (
    <nav className={css.pager} aria-label="Pages of the list">
      {cursor === '' ? (
        <span className={css.off}>← {before}</span>
      ) : trail.length === 0 ? (
        <Link href={hrefOf('')} className={css.step}>
          ← {sort === 'newest' ? 'Newest' : 'Oldest'}
        </Link>
      ) : (
        <Link
          href={hrefOf(trail.at(-1) ?? '')}
          state={{ trail: trail.slice(0, -1) }}
          className={css.step}
          rel="prev"
        >
          ← {before}
        </Link>
      )}
      {next === null ? (
        <span className={css.off}>{after} →</span>
      ) : (
        <Link href={hrefOf(next)} state={{ trail: [...trail, cursor] }} className={css.step} rel="next">
          {after} →
        </Link>
      )}
    </nav>
  )
}

function readTrail(state: unknown): readonly string[] {
  if (typeof state !== 'object' || state === null || !('trail' in state)) return []
  return Array.isArray(state.trail) ? state.trail.filter((each) => typeof each === 'string') : []
}
