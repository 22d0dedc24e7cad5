import { useMe } from '../api/use-api.js'
import { Badge } from '../ui/state.js'
import css from './who.module.css'

/** Who looks, as what, and what else there is for him. */
export function Who() {
  const me = useMe()
  return (
    <div className={css.who}>
      <span className={css.name} title={me ? `May: ${me.actions.join(', ')}` : undefined}>
        <span>{me?.name ?? 'You'}</span>
        {me?.role && <Badge>{me.role}</Badge>}
      </span>
      <span className={css.links}>
        <a href="board/">bull-board</a>
        <a href="api/openapi.json">API</a>
        {me?.canLogOut && (
          <form method="post" action="logout">
            <button type="submit" className={css.leave}>
              Log out
            </button>
          </form>
        )}
        <span className={css.version}>{me && `v${me.version}`}</span>
      </span>
    </div>
  )
}
