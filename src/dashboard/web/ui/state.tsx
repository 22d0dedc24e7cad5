import type { JobState } from '../../../job/state.js'
import css from './state.module.css'

/** A job's state, or a worker's: a mark and a word, so that colour alone says nothing. */
export function State({ state }: { readonly state: JobState | WorkerWord }) {
  return (
    <span className={css.state}>
      <span className={`${css.mark} ${css[state] ?? ''}`} aria-hidden="true" />
      {state}
    </span>
  )
}

type WorkerWord = 'ok' | 'unwell' | 'hanging' | 'silent' | 'lost' | 'stopped' | 'up' | 'down' | 'paused'

/** A word in a frame: a tag, a queue, a count. */
export function Badge({ tone = 'neutral', children }: BadgeProps) {
  return <span className={`${css.badge} ${css[tone] ?? ''}`}>{children}</span>
}

interface BadgeProps {
  readonly tone?: 'neutral' | 'accent' | 'warning' | 'danger' | 'info'
  readonly children: React.ReactNode
}
