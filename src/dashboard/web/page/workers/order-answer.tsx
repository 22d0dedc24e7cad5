import type { Answer } from '../../../../control/door.js'
import { Badge } from '../../ui/state.js'
import { type OrderVerb, tellReply } from './order.js'
import css from './order-dialog.module.css'

interface OrderAnswerProps {
  readonly verb: OrderVerb
  readonly answer: Answer<unknown>
}

const silence =
  'It kept silent: it may hang, be suspended, or have lost the database. It will not do it later; what was set for its name holds when it comes back.'

/** What came of it, worker by worker; those that did not do it first. */
export function OrderAnswer({ verb, answer: { replies, refused, silent } }: OrderAnswerProps) {
  return (
    <ul className={css.answers} aria-label="Replies">
      {refused.map(({ worker, reason }) => (
        <Line key={worker.id} name={worker.name} word="refused" tone="danger" said={reason} />
      ))}
      {silent.map((worker) => (
        <Line key={worker.id} name={worker.name} word="silent" tone="warning" said={silence} />
      ))}
      {replies.map(({ worker, value }) => (
        <Line key={worker.id} name={worker.name} word="done" tone="accent" said={tellReply(verb, value)} />
      ))}
    </ul>
  )
}

interface LineProps {
  readonly name: string
  readonly word: string
  readonly tone: 'accent' | 'warning' | 'danger'
  readonly said: string
}

function Line({ name, word, tone, said }: LineProps) {
  return (
    <li className={css.answer}>
      <span className={css.who}>{name}</span>
      <Badge tone={tone}>{word}</Badge>
      <span className={css.said}>{said}</span>
    </li>
  )
}
