import { useEffect, useRef } from 'react'
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
  /** The id of what the list begins with. Default: the page begins with it. */
  readonly head?: string
}

/**
 * Steps through the list, each to the head of its page. How one came there stands in its step of the browser's history,
 * which leads back to where one was.
 */
export function Pager({ sort, cursor, next, hrefOf, head }: PagerProps) {
  const isStep = useRef(false)
  const step = () => {
    isStep.current = true
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the place that changes
  useEffect(() => {
    if (isStep.current) showHead(head)
    isStep.current = false
  }, [cursor])
  const trail = readTrail(history.state)
  const [before, after] = sort === 'newest' ? ['Newer', 'Older'] : ['Older', 'Newer']
  return (
    <nav className={css.pager} aria-label="Pages of the list">
      {cursor === '' ? (
        <span className={css.off}>← {before}</span>
      ) : trail.length === 0 ? (
        <Link href={hrefOf('')} className={css.step} onClick={step}>
          ← {sort === 'newest' ? 'Newest' : 'Oldest'}
        </Link>
      ) : (
        <Link
          href={hrefOf(trail.at(-1) ?? '')}
          state={{ trail: trail.slice(0, -1) }}
          className={css.step}
          rel="prev"
          onClick={step}
        >
          ← {before}
        </Link>
      )}
      {next === null ? (
        <span className={css.off}>{after} →</span>
      ) : (
        <Link
          href={hrefOf(next)}
          state={{ trail: [...trail, cursor] }}
          className={css.step}
          rel="next"
          onClick={step}
        >
          {after} →
        </Link>
      )}
    </nav>
  )
}

function showHead(id: string | undefined): void {
  const head = id === undefined ? null : document.getElementById(id)
  if (head) head.scrollIntoView()
  else scrollTo(0, 0)
}

function readTrail(state: unknown): readonly string[] {
  if (typeof state !== 'object' || state === null || !('trail' in state)) return []
  return Array.isArray(state.trail) ? state.trail.filter((each) => typeof each === 'string') : []
}
