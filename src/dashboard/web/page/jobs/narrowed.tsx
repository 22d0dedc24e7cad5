import { Link } from 'wouter'
import { Button } from '../../ui/button.js'
import css from './narrowed.module.css'
import type { useJobsView } from './use-view.js'

/** What a link has narrowed the list to, for which there is no field. */
export function Narrowed({ view, change }: Pick<ReturnType<typeof useJobsView>, 'view' | 'change'>) {
  const { ids, parent } = view
  if (ids.length === 0 && parent === '') return null
  return (
    <ul className={css.list}>
      {parent !== '' && (
        <li className={css.token}>
          <span>
            Children of{' '}
            <Link href={`/jobs/${encodeURIComponent(parent)}`}>
              <code>{parent}</code>
            </Link>
          </span>
          <Button
            size="small"
            kind="plain"
            aria-label="Not only its children"
            onClick={() => change({ parent: '' })}
          >
            ×
          </Button>
        </li>
      )}
      {ids.length > 0 && (
        <li className={css.token}>
          <span>{ids.length === 1 ? 'One job, by its id' : `${ids.length} jobs, by their ids`}</span>
          <Button
            size="small"
            kind="plain"
            aria-label="Not only these jobs"
            onClick={() => change({ ids: [] })}
          >
            ×
          </Button>
        </li>
      )}
    </ul>
  )
}
