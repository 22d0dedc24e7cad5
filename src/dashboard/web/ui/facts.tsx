import type { ReactNode } from 'react'
import { Link } from 'wouter'
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

/** Figures beside each other, two in a row on a phone. */
export function Figures({ columns, children }: FiguresProps) {
  return <div className={`${css.figures} ${css[`columns${columns}`]}`}>{children}</div>
}

interface FiguresProps {
  /** As many as fill their rows. `4`: eight where there is room. */
  readonly columns: 4 | 6
  readonly children: ReactNode
}

/** One figure, large. With an address it leads to what it counts. */
export function Figure({ label, value, note, tone = 'neutral', href }: FigureProps) {
  const content = (
    <>
      <span className={css.label}>{label}</span>
      <span className={css.value}>{value}</span>
      {note !== undefined && <span className={css.small}>{note}</span>}
    </>
  )
  const look = `${css.figure} ${css[tone] ?? ''}`
  if (href === undefined) return <div className={look}>{content}</div>
  return (
    <Link href={href} className={`${look} ${css.leads}`}>
      {content}
    </Link>
  )
}

interface FigureProps {
  readonly label: string
  readonly value: ReactNode
  readonly note?: ReactNode
  readonly tone?: 'neutral' | 'danger' | 'warning'
  readonly href?: string
}
