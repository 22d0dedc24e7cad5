import type { ReactNode } from 'react'
import css from './meter.module.css'

interface MeterProps {
  /** 0 to 1. */
  readonly part: number
  readonly tone?: 'neutral' | 'warning' | 'danger'
  /** What the bar shows, in figures. */
  readonly children: ReactNode
}

/** Figures with a small bar beside them, which shows how they compare at a glance. */
export function Meter({ part, tone = 'neutral', children }: MeterProps) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, part)))
  return (
    <span className={css.meter}>
      <span className={css.text}>{children}</span>
      <span className={css.track} aria-hidden="true">
        <span className={`${css.bar} ${css[tone]}`} style={{ width: `${percent}%` }} />
      </span>
    </span>
  )
}
