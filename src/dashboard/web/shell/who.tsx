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
          <button type="button" className={css.leave} onClick={logOut}>
            Log out
          </button>
        )}
        <span className={css.version}>{me && `v${me.version}`}</span>
      </span>
    </div>
  )
}

/** Not by a form: our pages tell nobody where they are, and a form would not say either that it is of ours. */
async function logOut(): Promise<void> {
  const answer = await fetch('logout', { method: 'POST', credentials: 'same-origin' })
  location.assign(answer.url)
}
