import { useId } from 'react'
import { useApi } from '../api/use-api.js'
import { TextField } from './field.js'

export interface MoveTarget {
  /** Empty: it stays. */
  readonly queue: string
  readonly priority: string
}

interface MoveFieldsProps {
  readonly value: MoveTarget
  onChange(value: MoveTarget): void
}

/** Where jobs are to go. What is left empty stays as it is. */
export function MoveFields({ value, onChange }: MoveFieldsProps) {
  const { data: names } = useApi('GET /vocabulary', {})
  const list = useId()
  return (
    <>
      <TextField
        label="Queue"
        hint="Another queue, or none to leave them where they are."
        value={value.queue}
        list={list}
        onChange={({ target }) => onChange({ ...value, queue: target.value })}
      />
      <datalist id={list}>
        {names?.queues.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <TextField
        label="Priority"
        hint="0 is first; larger waits longer. Empty leaves it."
        type="number"
        min={0}
        step={1}
        value={value.priority}
        onChange={({ target }) => onChange({ ...value, priority: target.value })}
      />
    </>
  )
}

export function toMoveBody({ queue, priority }: MoveTarget): { queue?: string; priority?: number } {
  return {
    ...(queue.trim() === '' ? {} : { queue: queue.trim() }),
    ...(priority.trim() === '' ? {} : { priority: Number(priority) }),
  }
}
