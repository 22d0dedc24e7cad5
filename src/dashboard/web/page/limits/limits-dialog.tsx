import { useState } from 'react'
import type { LimitSummary } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { tellHeard } from '../../ui/answer.js'
import { ActDialog } from '../../ui/dialog.js'
import { TextField } from '../../ui/field.js'
import { useTell } from '../../ui/toast.js'
import { concurrencyFault, rateFault } from './limit-texts.js'
import { nameOf, type Scope } from './words.js'

interface LimitsDialogProps {
  readonly scope: Scope
  readonly limits: Json<LimitSummary>
  onClose(): void
}

/** Sets rate and concurrency, those that were changed. */
export function LimitsDialog({ scope, limits, onClose }: LimitsDialogProps) {
  const tell = useTell()
  // As it was when one began: what somebody else sets meanwhile was not changed here.
  const [before] = useState({ rate: limits.rateLimit ?? '', most: limits.concurrency?.toString() ?? '' })
  const [rate, setRate] = useState(before.rate)
  const [most, setMost] = useState(before.most)
  const faults = [rateFault(rate), concurrencyFault(most)] as const
  const [isRate, isMost] = [rate.trim() !== before.rate, most.trim() !== before.most]
  const name = nameOf(scope)
  const act = async () => {
    const set = (verb: string, body: object) =>
      call('POST /control/:verb', { params: { verb }, body: { ...scope, ...body } })
    const answers = [
      ...(isRate ? [await set('rate-limit', { rateLimit: rate.trim() === '' ? null : rate.trim() })] : []),
      ...(isMost
        ? [await set('concurrency', { concurrency: most.trim() === '' ? null : Number(most) })]
        : []),
    ]
    const last = answers.at(-1)
    if (last) tell(`The limits of ${name} are set`, tellHeard(last))
  }
  return (
    <ActDialog
      title={`Limits of ${name}`}
      verb="Set"
      isReady={(isRate || isMost) && !faults.some(Boolean)}
      isOpen
      onClose={onClose}
      act={act}
    >
      <p>They hold within seconds, for jobs that wait already as well, and after restarts.</p>
      <TextField
        label="Starts, at most"
        value={rate}
        placeholder="no limit"
        isWrong={faults[0] !== undefined}
        hint={faults[0] ?? 'As 100/s, 30/m, 1000/h or 10/30s. Empty: no limit.'}
        onChange={({ target }) => setRate(target.value)}
      />
      <TextField
        label="Jobs at once, at most"
        inputMode="numeric"
        value={most}
        placeholder="no limit"
        isWrong={faults[1] !== undefined}
        hint={faults[1] ?? 'A whole number. Empty: no limit.'}
        onChange={({ target }) => setMost(target.value)}
      />
    </ActDialog>
  )
}
