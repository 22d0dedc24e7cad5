import { useState } from 'react'
import { formatDuration } from '../../../../job/query/moment.js'
import type { TimeLimits } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import { tellHeard } from '../../ui/answer.js'
import { ActDialog } from '../../ui/dialog.js'
import { TextField } from '../../ui/field.js'
import { useTell } from '../../ui/toast.js'
import { timeFault } from './limit-texts.js'

interface TimeLimitDialogProps {
  readonly task: string
  readonly timeLimit: TimeLimits
  onClose(): void
}

/** Sets both limits. One that is left empty is none. */
export function TimeLimitDialog({ task, timeLimit, onClose }: TimeLimitDialogProps) {
  const tell = useTell()
  const [soft, setSoft] = useState(toText(timeLimit.softMs))
  const [hard, setHard] = useState(toText(timeLimit.hardMs))
  const faults = [timeFault(soft), timeFault(hard)] as const
  const isNone = soft.trim() === '' && hard.trim() === ''
  const act = async () => {
    const limit = {
      ...(soft.trim() === '' ? {} : { soft: soft.trim() }),
      ...(hard.trim() === '' ? {} : { hard: hard.trim() }),
    }
    const body = { task, timeLimit: limit }
    const answer = await call('POST /control/:verb', { params: { verb: 'time-limit' }, body })
    tell(`The time limit of ${task} is set`, tellHeard(answer))
  }
  return (
    <ActDialog
      title={`Time limit of ${task}`}
      verb="Set"
      isReady={!isNone && !faults.some(Boolean)}
      isOpen
      onClose={onClose}
      act={act}
    >
      <p>It holds for attempts that begin from now on, and after restarts. What runs is not disturbed.</p>
      <TextField
        label="Soft"
        value={soft}
        placeholder="no limit"
        isWrong={faults[0] !== undefined}
        hint={
          faults[0] ?? 'When the signal of the attempt aborts: 30s, 5m. It has some seconds to end by itself.'
        }
        onChange={({ target }) => setSoft(target.value)}
      />
      <TextField
        label="Hard"
        value={hard}
        placeholder="no limit"
        isWrong={faults[1] !== undefined}
        hint={
          faults[1] ??
          'When the attempt is ended, whatever it does. A thread or a process of a pool is killed.'
        }
        onChange={({ target }) => setHard(target.value)}
      />
    </ActDialog>
  )
}

/** As it may be typed again, to the millisecond. */
function toText(ms: number | null): string {
  return ms === null ? '' : formatDuration(ms)
}
