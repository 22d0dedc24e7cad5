import type { QueryFault as Fault } from '../../../../job/query/fault.js'
import css from './query-fault.module.css'

interface QueryFaultProps {
  readonly id: string
  readonly text: string
  readonly fault: Fault
}

const around = 60

/** What is wrong with a query, at its place. */
export function QueryFault({ id, text, fault: { message, from, to } }: QueryFaultProps) {
  const start = Math.max(0, from - around)
  return (
    <div id={id} className={css.fault} role="alert">
      <code className={css.text}>
        {start > 0 && '…'}
        {text.slice(start, from)}
        <mark className={css.place}>{text.slice(from, Math.min(to, from + around)) || '\u00a0'}</mark>
        {text.slice(to, to + around)}
        {text.length > to + around && '…'}
      </code>
      <p>{message}</p>
    </div>
  )
}
