import { TextField } from '../../ui/field.js'
import css from './payload-form.module.css'
import type { RunOptions, runFaults } from './run-request.js'

interface RunOptionsProps {
  readonly options: RunOptions
  readonly faults: ReturnType<typeof runFaults>
  /** That of the task. */
  readonly queue: string | null
  readonly attempts: number
  onChange(change: Partial<RunOptions>): void
}

/** What may be said of the job besides its payload. */
export function RunOptionFields({ options, faults, queue, attempts, onChange }: RunOptionsProps) {
  const field = (name: keyof RunOptions, label: string, placeholder: string, hint?: string) => {
    const fault = faults[name]
    return (
      <TextField
        label={label}
        value={options[name]}
        placeholder={placeholder}
        autoComplete="off"
        isWrong={fault !== undefined}
        hint={fault ?? hint}
        onChange={({ target }) => onChange({ [name]: target.value })}
      />
    )
  }
  return (
    <details className={css.more}>
      <summary>Options</summary>
      <div className={css.options}>
        {field('delay', 'Delay', 'none', 'Not before: 30s, 5m, 2h')}
        {field('queue', 'Queue', queue ?? 'as the task has it')}
        {field('priority', 'Priority', 'as the task has it', '0 is first; larger waits longer')}
        {field('attempts', 'Attempts', String(attempts))}
        {field('timeLimit', 'Time limit', 'as the task has it', 'Of each attempt: 30s, 5m')}
        {field('expiresIn', 'Expires in', 'as the task has it', 'Too late to start after: 1h')}
        {field('owner', 'Owner', 'nobody', 'Who may see it by the public endpoints')}
        {field('tags', 'Tags', 'none', 'By commas')}
      </div>
    </details>
  )
}
