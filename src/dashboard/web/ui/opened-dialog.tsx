import { Dialog as Base } from '@base-ui/react/dialog'
import type { DialogProps } from './dialog.js'
import css from './dialog.module.css'

/** A dialog that has been opened once. */
export default function OpenedDialog({ title, isOpen, isWide = false, onClose, children }: DialogProps) {
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
