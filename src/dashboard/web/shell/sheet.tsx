import { type ReactNode, useEffect, useRef } from 'react'
import css from './sheet.module.css'

interface SheetProps {
  readonly label: string
  readonly isOpen: boolean
  onClose(): void
  readonly children: ReactNode
}

/** What comes over the page from its side where there is little room. The browser keeps focus and reader inside. */
export function Sheet({ label, isOpen, onClose, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, too
    <dialog
      ref={dialog}
      className={css.sheet}
      aria-label={label}
      onClose={onClose}
      onClick={({ target, currentTarget }) => target === currentTarget && onClose()}
    >
      {isOpen && <div className={css.content}>{children}</div>}
    </dialog>
  )
}
