import { useState } from 'react'
import type { TaskPage, TimeLimits } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { useMay } from '../../api/use-api.js'
import { tellHeard } from '../../ui/answer.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { ActDialog } from '../../ui/dialog.js'
import { Facts } from '../../ui/facts.js'
import { tellDuration } from '../../ui/format.js'
import { useTell } from '../../ui/toast.js'
import { TimeLimitDialog } from './time-limit-dialog.js'
import { WhoSetIt } from './who-set-it.js'

interface TimeLimitCardProps {
  readonly task: string
  readonly timeLimit: Json<TaskPage>['timeLimit']
}

/** How long an attempt may take; whoever may changes it, or takes the change back. */
export function TimeLimitCard({ task, timeLimit }: TimeLimitCardProps) {
  const may = useMay('task.limit')
  const tell = useTell()
  const [open, setOpen] = useState<'edit' | 'reset'>()
  const close = () => setOpen(undefined)
  const { code, set } = timeLimit
  const reset = async () => {
    const body = { task, timeLimit: null }
    tell(
      `The time limit of ${task} is that of the code`,
      tellHeard(await call('POST /control/:verb', { params: { verb: 'time-limit' }, body })),
    )
  }
  return (
    <Card
      title="Time limit"
      note="Of an attempt. What a call gave its job goes before it."
      aside={
        may && (
          <>
            {set && (
              <Button size="small" onClick={() => setOpen('reset')}>
                As the code says
              </Button>
            )}
            <Button size="small" onClick={() => setOpen('edit')}>
              Change
            </Button>
          </>
        )
      }
    >
      <Facts
        facts={[
          ['Soft', tellLimit('softMs', timeLimit, code)],
          ['Hard', tellLimit('hardMs', timeLimit, code)],
          ...(set ? ([['Set', <WhoSetIt key="set" set={set} />]] as const) : []),
        ]}
      />
      {open === 'edit' && <TimeLimitDialog task={task} timeLimit={timeLimit} onClose={close} />}
      <ActDialog
        title={`Take back the time limit set for ${task}?`}
        verb="Take it back"
        isOpen={open === 'reset'}
        onClose={close}
        act={reset}
      >
        <p>Attempts that begin from now on have the limit of the code again.</p>
      </ActDialog>
    </Card>
  )
}

function tellLimit(kind: 'softMs' | 'hardMs', holds: TimeLimits, code: TimeLimits): string {
  const tell = (ms: number | null) => (ms === null ? 'no limit' : tellDuration(ms))
  return holds[kind] === code[kind]
    ? tell(holds[kind])
    : `${tell(holds[kind])} (the code says ${tell(code[kind])})`
}
