import { type FormEvent, useState } from 'react'
import type { Answer } from '../../../../control/door.js'
import { call } from '../../api/call.js'
import { Button } from '../../ui/button.js'
import { Dialog, useAct } from '../../ui/dialog.js'
import { tellCount } from '../../ui/format.js'
import { ProblemNote } from '../../ui/note.js'
import { useTell } from '../../ui/toast.js'
import { type Draft, emptyDraft, type OrderVerb, orders, tellReply, toBody } from './order.js'
import { OrderAnswer } from './order-answer.js'
import css from './order-dialog.module.css'
import { OrderFields } from './order-fields.js'

/** What is to be told to whom. */
export interface Asked {
  readonly verb: OrderVerb
  readonly workers: readonly {
    readonly id: string
    readonly name: string
    readonly queues: readonly string[]
  }[]
  /** What stands in the fields at first. */
  readonly draft?: Partial<Draft>
}

interface OrderDialogProps {
  /** `undefined`: nothing. */
  readonly asked: Asked | undefined
  onClose(): void
}

/** Asks before workers are told something, and says what each of them has replied, refused, or that it kept silent. */
export function OrderDialog({ asked, onClose }: OrderDialogProps) {
  return (
    <Dialog title={asked ? titleOf(asked) : ''} isOpen={asked !== undefined} onClose={onClose}>
      {asked && <Form asked={asked} onClose={onClose} />}
    </Dialog>
  )
}

function titleOf({ verb, workers }: Asked): string {
  const [first] = workers
  const whom = workers.length === 1 && first ? first.name : `${tellCount(workers.length)} workers`
  return `${orders[verb].name}: ${whom}`
}

function Form({ asked, onClose }: { readonly asked: Asked; onClose(): void }) {
  const { verb, workers } = asked
  const { meaning, button, isDanger = false } = orders[verb]
  const [draft, setDraft] = useState<Draft>({ ...emptyDraft, ...asked.draft })
  const [answer, setAnswer] = useState<Answer<unknown>>()
  const { isBusy, problem, run } = useAct()
  const tell = useTell()
  const body = toBody(verb, draft)

  const give = async () => {
    const said = await call('POST /control/:verb', {
      params: { verb },
      body: { ...body, workers: workers.map(({ id }) => id) },
    })
    if (said.refused.length > 0 || said.silent.length > 0) return setAnswer(said)
    tell(`${orders[verb].name}: ${tellWho(said)}`, tellAll(verb, said))
    onClose()
  }
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (body && !isBusy) void run(give)
  }
  if (answer)
    return (
      <div className={css.form}>
        <OrderAnswer verb={verb} answer={answer} />
        <div className={css.buttons}>
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    )
  return (
    <form className={css.form} onSubmit={onSubmit}>
      <p className={css.meaning}>{meaning}</p>
      <OrderFields asked={asked} draft={draft} onChange={(change) => setDraft({ ...draft, ...change })} />
      {workers.length > 1 && <p className={css.names}>{workers.map(({ name }) => name).join(', ')}</p>}
      <ProblemNote problem={problem} />
      <div className={css.buttons}>
        <Button onClick={onClose}>Not now</Button>
        <Button type="submit" kind={isDanger ? 'danger' : 'primary'} isBusy={isBusy} disabled={!body}>
          {isBusy ? 'Waiting for replies…' : button}
        </Button>
      </div>
    </form>
  )
}

type Said = Pick<Answer<unknown>, 'replies'>

function tellWho({ replies }: Said): string {
  const [first] = replies
  return replies.length === 1 && first ? first.worker.name : `${tellCount(replies.length)} workers`
}

/** One sentence, where all say the same. */
function tellAll(verb: OrderVerb, { replies }: Said): string {
  const told = [...new Set(replies.map(({ value }) => tellReply(verb, value)))]
  return told.length === 1 ? (told[0] ?? '') : 'Each has replied.'
}
