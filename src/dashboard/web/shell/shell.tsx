import type { ReactNode } from 'react'
import { useState } from 'react'
import { Link } from 'wouter'
import { useNarrow } from '../ui/narrow.js'
import { LiveState } from './live-state.js'
import { Places } from './places.js'
import { Preferences } from './preferences.js'
import { QuickFind } from './quick-find.js'
import { Sheet } from './sheet.js'
import css from './shell.module.css'
import { useLeaving } from './use-leaving.js'
import { Who } from './who.js'

/** What stands around every page: where one can go, how things are, how one likes it. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const isNarrow = useNarrow()
  return (
    <div className={css.shell}>
      <button type="button" className={css.skip} onClick={toPage}>
        Skip to the page
      </button>
      {isNarrow ? <Bar /> : <Side />}
      <main id="page" tabIndex={-1} className={css.page}>
        {children}
      </main>
    </div>
  )
}

/** Not by the address: that belongs to the pages. */
function toPage(): void {
  document.getElementById('page')?.focus()
}

function Side() {
  return (
    <header className={css.side}>
      <Brand />
      <QuickFind />
      <div className={css.fold}>
        <Places />
        <Foot />
      </div>
    </header>
  )
}

/** Where there is little room, all but the name is behind a button. */
function Bar() {
  const [open, setOpen] = useState<'no' | 'menu' | 'find'>('no')
  useLeaving(() => setOpen('no'))
  return (
    <header className={css.bar}>
      <Brand />
      <span className={css.state}>
        <LiveState />
      </span>
      <IconButton
        label="Find"
        icon="M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5L14 14"
        onPress={() => setOpen('find')}
      />
      <IconButton label="Menu" icon="M2 4h12M2 8h12M2 12h12" onPress={() => setOpen('menu')} />
      <Sheet label="Menu" isOpen={open !== 'no'} isFieldFirst={open === 'find'} onClose={() => setOpen('no')}>
        <div className={css.sheetTop}>
          <QuickFind isInSheet onGo={() => setOpen('no')} />
          <IconButton label="Close" icon="M3 3l10 10M13 3L3 13" onPress={() => setOpen('no')} />
        </div>
        <Places />
        <Foot />
      </Sheet>
    </header>
  )
}

function Brand() {
  return (
    <Link href="/" className={css.brand}>
      <Mark /> Celeriac
    </Link>
  )
}

function Foot() {
  return (
    <div className={css.foot}>
      <Preferences />
      <Who />
    </div>
  )
}

interface IconButtonProps {
  readonly label: string
  readonly icon: string
  onPress(): void
}

function IconButton({ label, icon, onPress }: IconButtonProps) {
  return (
    <button type="button" className={css.icon} aria-label={label} onClick={onPress}>
      <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
        <path d={icon} />
      </svg>
    </button>
  )
}

function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path
        d="M21.5 11.2a7 7 0 1 0 0 9.6"
        fill="none"
        stroke="var(--on-accent)"
        strokeWidth="3.6"
        strokeLinecap="round"
      />
    </svg>
  )
}
