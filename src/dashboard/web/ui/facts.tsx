import type { ReactNode } from 'react'
import css from './facts.module.css'

/** Names and what they are. */
export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={css.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** One figure, large. */
export function Figure({ label, value, note, tone = 'neutral' }: FigureProps) {
  return (
    <div className={`${css.figure} ${css[tone] ?? ''}`}>
      <span className={css.label}>{label}</span>
      <span className={css.value}>{value}</span>
      {note !== undefined && <span className={css.small}>{note}</span>}
    </div>
  )
}

interface FigureProps {
  readonly label: string
  readonly value: ReactNode
  readonly note?: ReactNode
  readonly tone?: 'neutral' | 'danger' | 'warning'
}
