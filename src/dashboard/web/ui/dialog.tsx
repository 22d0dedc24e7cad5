import { lazy, type ReactNode, Suspense, useRef, useState } from 'react'
import { Problem } from '../api/call.js'
import { feed } from '../api/feed.js'
import { Button } from './button.js'
import css from './dialog.module.css'
import { ProblemNote } from './note.js'

export interface DialogProps {
  readonly title: string
  readonly isOpen: boolean
  readonly isWide?: boolean
  onClose(): void
  readonly children: ReactNode
}

const OpenedDialog = lazy(() => import('./opened-dialog.js'))

/** Loaded when it is opened first. */
export function Dialog(props: DialogProps) {
  const wasOpened = useRef(false)
  wasOpened.current ||= props.isOpen
  if (!wasOpened.current) return null
  return (
    <Suspense fallback={null}>
      <OpenedDialog {...props} />
    </Suspense>
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
