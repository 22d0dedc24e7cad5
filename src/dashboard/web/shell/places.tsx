import { Link, useLocation } from 'wouter'
import { useSearch } from '../api/use-search.js'
import { Attention } from './attention.js'
import { withRange } from './keep-range.js'
import css from './places.module.css'

/** Where one can go. `icon`: the path of a drawing of 16 by 16. */
export const places = [
  { to: '/', name: 'Overview', icon: 'M2 9.5l3.5-4 3 3L14 3M2 13h12' },
  { to: '/jobs', name: 'Jobs', icon: 'M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.5M2 8h.5M2 12h.5' },
  { to: '/tasks', name: 'Tasks', icon: 'M6 3L2 8l4 5M10 3l4 5-4 5' },
  { to: '/queues', name: 'Queues', icon: 'M2 3.5h12v3H2zM2 9.5h8v3H2z' },
  {
    to: '/workers',
    name: 'Workers',
    icon: 'M4 4h8v8H4zM6 1.5V4M10 1.5V4M6 12v2.5M10 12v2.5M1.5 6H4M1.5 10H4M12 6h2.5M12 10h2.5',
  },
  {
    to: '/system',
    name: 'Broker and store',
    icon: 'M2.5 4c0-1.2 2.5-2 5.5-2s5.5.8 5.5 2-2.5 2-5.5 2-5.5-.8-5.5-2zM2.5 4v8c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2V4M2.5 8c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2',
  },
  { to: '/audit', name: 'Audit', icon: 'M3 2h10v12H3zM5.5 5.5h5M5.5 8h5M5.5 10.5h3' },
] as const

export function Places() {
  const [path] = useLocation()
  const range = useSearch().get('range')
  return (
    <nav aria-label="Pages">
      <ul className={css.places}>
        {places.map(({ to, name, icon }) => (
          <li key={to}>
            <Link
              href={withRange(to, path, range)}
              className={css.place}
              aria-current={isAt(path, to) ? 'page' : undefined}
            >
              <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" className={css.icon}>
                <path d={icon} />
              </svg>
              <span className={css.name}>{name}</span>
              {to === '/' && <Attention />}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function isAt(path: string, to: string): boolean {
  return to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)
}
