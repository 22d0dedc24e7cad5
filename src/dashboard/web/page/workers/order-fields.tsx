import type { LogLevel } from '../../../../telemetry/log.js'
import { useApi } from '../../api/use-api.js'
import { Checkbox } from '../../ui/checkbox.js'
import { Choice } from '../../ui/choice.js'
import { SelectField, TextField } from '../../ui/field.js'
import type { Draft } from './order.js'
import type { Asked } from './order-dialog.js'
import css from './order-dialog.module.css'

interface OrderFieldsProps {
  readonly asked: Asked
  readonly draft: Draft
  onChange(change: Partial<Draft>): void
}

/** What must be said for an order. */
export function OrderFields({ asked, draft, onChange }: OrderFieldsProps) {
  switch (asked.verb) {
    case 'pool-grow':
    case 'pool-shrink':
      return (
        <TextField
          label="By how many"
          type="number"
          min={1}
          max={10_000}
          required
          value={draft.by}
          onChange={({ target }) => onChange({ by: target.value })}
        />
      )
    case 'autoscale':
      return <RangeFields draft={draft} onChange={onChange} />
    case 'queue-add':
      return <NewQueue draft={draft} onChange={onChange} />
    case 'queue-remove':
      return <OldQueue asked={asked} draft={draft} onChange={onChange} />
    case 'log-level':
      return (
        <SelectField
          label="From this level on"
          value={draft.level}
          options={levels.map((level) => ({ value: level, label: level }))}
          onChange={(level) => onChange({ level })}
        />
      )
    case 'shutdown':
      return <HowSoon draft={draft} onChange={onChange} />
    default:
      return null
  }
}

const levels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const satisfies LogLevel[]

type PartProps = Omit<OrderFieldsProps, 'asked'>

function RangeFields({ draft, onChange }: PartProps) {
  return (
    <>
      <div className={css.range}>
        <TextField
          label="At least"
          type="number"
          min={1}
          disabled={draft.isOff}
          value={draft.min}
          onChange={({ target }) => onChange({ min: target.value })}
        />
        <TextField
          label="At most"
          type="number"
          min={1}
          disabled={draft.isOff}
          value={draft.max}
          onChange={({ target }) => onChange({ max: target.value })}
        />
      </div>
      <Checkbox
        label="Off: it stays as large as it is"
        isLabelShown
        isChecked={draft.isOff}
        onChange={(isOff) => onChange({ isOff })}
      />
    </>
  )
}

function NewQueue({ draft, onChange }: PartProps) {
  const known = useApi('GET /vocabulary', {}).data?.queues ?? []
  return (
    <>
      <TextField
        label="Queue"
        list="known-queues"
        autoComplete="off"
        required
        value={draft.queue}
        onChange={({ target }) => onChange({ queue: target.value })}
      />
      <datalist id="known-queues">
        {known.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  )
}

function OldQueue({ asked, draft, onChange }: OrderFieldsProps) {
  const served = [...new Set(asked.workers.flatMap(({ queues }) => queues))].sort()
  return (
    <SelectField
      label="Queue"
      value={draft.queue}
      options={[{ value: '', label: 'Which?' }, ...served.map((name) => ({ value: name, label: name }))]}
      onChange={(queue) => onChange({ queue })}
    />
  )
}

function HowSoon({ draft, onChange }: PartProps) {
  return (
    <>
      <div>
        <Choice
          label="How soon"
          value={draft.isNow ? 'now' : 'gently'}
          options={[
            { value: 'gently', label: 'Gently' },
            { value: 'now', label: 'At once' },
          ]}
          onChange={(choice) => onChange({ isNow: choice === 'now' })}
        />
      </div>
      <p>
        {draft.isNow
          ? 'What runs is stopped and given back: it runs again elsewhere, from its beginning.'
          : 'What runs may go on to its end, as long as the grace of the worker allows.'}
      </p>
    </>
  )
}
