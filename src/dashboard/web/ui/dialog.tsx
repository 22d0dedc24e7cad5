import { Dialog as Base } from '@base-ui/react/dialog'
import { type ReactNode, useState } from 'react'
import { Problem } from '../api/call.js'
import { feed } from '../api/feed.js'
import { Button } from './button.js'
import css from './dialog.module.css'
import { ProblemNote } from './note.js'

interface DialogProps {
  readonly title: string
  readonly isOpen: boolean
  readonly isWide?: boolean
  onClose(): void
  readonly children: ReactNode
}

export function Dialog({ title, isOpen, isWide = false, onClose, children }: DialogProps) {
  return (
    <Base.Root open={isOpen} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={css.scrim} />
        <Base.Popup className={`${css.box} ${isWide ? css.isWide : ''}`}>
          <Base.Title className={css.title}>{title}</Base.Title>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

interface ActDialogProps {
  readonly title: string
  /** On the button: what will be done, as a verb. */
  readonly verb: string
  readonly isDanger?: boolean
  readonly isReady?: boolean
  readonly isWide?: boolean
  /** What is wrong is told beside the fields, and not by the browser, which would hold it up. */
  readonly noValidate?: boolean
  readonly isOpen: boolean
  onClose(): void
  /** Does it. What it throws is shown, and the dialog stays. */
  act(): Promise<unknown>
  readonly children: ReactNode
}

/** Asks before something is done, says what is wrong if it is not, and closes when it is. */
export function ActDialog({
  verb,
  isDanger = false,
  isReady = true,
  noValidate = false,
  act,
  children,
  ...dialog
}: ActDialogProps) {
  const { isBusy, problem, run } = useAct()
  const done = async () => {
    if (await run(act)) dialog.onClose()
  }
  return (
    <Dialog {...dialog}>
      <form
        className={css.form}
        noValidate={noValidate}
        onSubmit={(event) => {
          event.preventDefault()
          void done()
        }}
      >
        {children}
        <ProblemNote problem={problem} />
        <div className={css.buttons}>
          <Button onClick={dialog.onClose}>Not now</Button>
          <Button type="submit" kind={isDanger ? 'danger' : 'primary'} isBusy={isBusy} disabled={!isReady}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Runs what changes something, once at a time; all that is shown is asked for anew when it is done. */
export function useAct() {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true)
    setProblem(undefined)
    try {
      await act()
      feed.refresh()
      return true
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, 'UNKNOWN', String(error)))
      return false
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, problem, run }
}
