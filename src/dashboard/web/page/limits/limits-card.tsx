import { useState } from 'react'
import type { LimitSummary } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { useMay } from '../../api/use-api.js'
import { tellHeard } from '../../ui/answer.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { ActDialog } from '../../ui/dialog.js'
import { useTell } from '../../ui/toast.js'
import { LimitRows } from './limit-rows.js'
import { LimitsDialog } from './limits-dialog.js'
import { nameOf, type Scope } from './words.js'

interface LimitsCardProps {
  readonly scope: Scope
  readonly limits: Json<LimitSummary>
}

/** What limits starts and running jobs in the whole cluster; whoever may changes it, or takes the change back. */
export function LimitsCard({ scope, limits }: LimitsCardProps) {
  const may = useMay('task.limit')
  const tell = useTell()
  const [open, setOpen] = useState<'edit' | 'reset'>()
  const close = () => setOpen(undefined)
  const name = nameOf(scope)
  const reset = async () => {
    const answer = await call('POST /control/:verb', { params: { verb: 'limit-reset' }, body: { ...scope } })
    tell(`The limits of ${name} are those of the code`, tellHeard(answer))
  }
  return (
    <Card
      title="Limits"
      note="Of the whole cluster, however many workers there are."
      aside={
        may && (
          <>
            {limits.set && (
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
      <LimitRows limits={limits} />
      {open === 'edit' && <LimitsDialog scope={scope} limits={limits} onClose={close} />}
      <ActDialog
        title={`Take back what was set for ${name}?`}
        verb="Take it back"
        isOpen={open === 'reset'}
        onClose={close}
        act={reset}
      >
        <p>The limits are again what the code says. Jobs that wait are bound by them, too.</p>
      </ActDialog>
    </Card>
  )
}
