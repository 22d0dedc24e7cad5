import { type ReactNode, useEffect, useRef } from 'react'
import css from './sheet.module.css'

interface SheetProps {
  readonly label: string
  readonly isOpen: boolean
  /** One wants to write at once: the first field gets the focus, and a phone brings up its keyboard. */
  readonly isFieldFirst: boolean
  onClose(): void
  readonly children: ReactNode
}

/** What comes over the page from its side where there is little room. The browser keeps focus and reader inside. */
export function Sheet({ label, isOpen, isFieldFirst, onClose, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const { current: element } = dialog
    if (!isOpen) return element?.close()
    element?.showModal()
    if (!isFieldFirst) element?.focus()
  }, [isOpen, isFieldFirst])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, too
    <dialog
      ref={dialog}
      className={css.sheet}
      tabIndex={-1}
      aria-label={label}
      onClose={onClose}
      onClick={({ target, currentTarget }) => target === currentTarget && onClose()}
    >
      {isOpen && <div className={css.content}>{children}</div>}
    </dialog>
  )
}
