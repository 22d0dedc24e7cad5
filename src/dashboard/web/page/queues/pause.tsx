import { useState } from 'react'
import { call } from '../../api/call.js'
import { useMay } from '../../api/use-api.js'
import { tellHeard } from '../../ui/answer.js'
import { Button } from '../../ui/button.js'
import { ActDialog, useAct } from '../../ui/dialog.js'
import { tellCount } from '../../ui/format.js'
import { ProblemNote } from '../../ui/note.js'
import { useTell } from '../../ui/toast.js'

interface PauseProps {
  readonly queue: string
  readonly isPaused: boolean
  readonly waiting: number
  readonly size?: 'normal' | 'small'
}

/** Pauses a queue, which it asks first, or lets it go on. */
export function Pause({ queue, isPaused, waiting, size = 'normal' }: PauseProps) {
  const may = useMay('queue.pause')
  const tell = useTell()
  const [isAsking, setAsking] = useState(false)
  const { isBusy, problem, run } = useAct()
  if (!may) return null
  const resume = () =>
    run(async () => {
      const answer = await call('POST /control/:verb', { params: { verb: 'resume' }, body: { queue } })
      tell(`Queue ${queue} goes on`, tellHeard(answer))
    })
  const pause = async () => {
    const answer = await call('POST /control/:verb', { params: { verb: 'pause' }, body: { queue } })
    tell(`Queue ${queue} is paused`, tellHeard(answer))
  }
  if (isPaused)
    return (
      <>
        <Button
          size={size}
          isBusy={isBusy}
          aria-label={`Resume queue ${queue}`}
          onClick={() => void resume()}
        >
          Resume
        </Button>
        <ProblemNote problem={problem} />
      </>
    )
  return (
    <>
      <Button size={size} aria-label={`Pause queue ${queue}`} onClick={() => setAsking(true)}>
        Pause
      </Button>
      <ActDialog
        title={`Pause queue ${queue}?`}
        verb="Pause"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        act={pause}
      >
        <p>
          No worker starts a job of this queue until somebody resumes it, not even after a restart. What runs
          goes on; what comes in is accepted and waits.
        </p>
        {waiting > 0 && (
          <p>{waiting === 1 ? 'One job waits' : `${tellCount(waiting)} jobs wait`} in it now.</p>
        )}
      </ActDialog>
    </>
  )
}
