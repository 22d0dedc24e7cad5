import type { ReactNode } from 'react'
import { useEffect, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { useApi, useMe } from '../api/use-api.js'
import { Badge } from '../ui/state.js'
import { Preferences } from './preferences.js'
import css from './shell.module.css'

const places: readonly (readonly [path: string, name: string])[] = [
  ['/', 'Overview'],
  ['/jobs', 'Jobs'],
  ['/tasks', 'Tasks'],
  ['/queues', 'Queues'],
  ['/workers', 'Workers'],
  ['/system', 'Broker and store'],
  ['/audit', 'Audit'],
]

/** What stands around every page: where one can go, how things are, how one likes it. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const [path] = useLocation()
  const [isOpen, setOpen] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a step to another page closes the menu
  useEffect(() => setOpen(false), [path])
  return (
    <div className={css.shell}>
      <button type="button" className={css.skip} onClick={toPage}>
        Skip to the page
      </button>
      <header className={css.side}>
        <div className={css.top}>
          <Link href="/" className={css.brand}>
            <Mark /> Celeriac
          </Link>
          <button
            type="button"
            className={css.open}
            aria-expanded={isOpen}
            aria-controls="places"
            onClick={() => setOpen(!isOpen)}
          >
            <span className="hidden-but-read">Menu</span>
            <span aria-hidden="true">{isOpen ? '×' : '☰'}</span>
          </button>
        </div>
        <div id="places" className={`${css.fold} ${isOpen ? css.isOpen : ''}`}>
          <nav aria-label="Pages">
            <ul className={css.places}>
              {places.map(([to, name]) => (
                <li key={to}>
                  <Link href={to} className={css.place} aria-current={isAt(path, to) ? 'page' : undefined}>
                    {name}
                    {to === '/' && <Attention />}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          <div className={css.foot}>
            <Preferences />
            <Who />
          </div>
        </div>
      </header>
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

function isAt(path: string, to: string): boolean {
  return to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)
}

/** How much needs somebody, wherever one is. */
function Attention() {
  const { data } = useApi('GET /status', {})
  const count = data?.problems.length ?? 0
  if (count === 0) return null
  return (
    <Badge tone="danger">
      {count}
      <span className="hidden-but-read"> {count === 1 ? 'problem' : 'problems'}</span>
    </Badge>
  )
}

function Who() {
  const me = useMe()
  if (!me) return null
  return (
    <div className={css.who}>
      <span title={me.actions.join(', ')}>
        {me.name ?? 'You'}
        {me.role && ` · ${me.role}`}
      </span>
      <a href="board/">bull-board</a>
      <a href="api/openapi.json">API</a>
      {me.canLogOut && (
        <form method="post" action="logout">
          <button type="submit" className={css.leave}>
            Log out
          </button>
        </form>
      )}
      <span className={css.version}>v{me.version}</span>
    </div>
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
