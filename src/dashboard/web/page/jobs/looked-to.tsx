import { Link } from 'wouter'
import type { JobsPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useSearch } from '../../api/use-search.js'
import { Time } from '../../ui/time.js'
import css from './looked-to.module.css'
import { type JobsView, looksIntoText, rangeNames } from './view.js'

interface LookedToProps {
  readonly view: JobsView
  readonly page: Json<JobsPage>
}

/** How far the search came, and a way on. */
export function LookedTo({ view, page: { isCut, lookedTo, cursor, since } }: LookedToProps) {
  const search = useSearch()
  const isText = looksIntoText(view.query)
  if (!isCut && !isText) return <span />
  return (
    <div className={css.words}>
      {isCut && (
        <p>
          Looked {view.sort === 'newest' ? 'back' : 'on'} to <Time at={lookedTo} />, which took its two
          seconds.{' '}
          {cursor !== null && (
            <Link href={search.hrefWith({ cursor, selected: undefined })}>Look further</Link>
          )}
        </p>
      )}
      {!isCut && isText && cursor === null && (
        <p>Looked at all jobs{view.range !== 'all' && ` of the last ${rangeNames[view.range]}`}.</p>
      )}
      {since !== null && (
        <p>
          Only jobs since <Time at={since} />.{' '}
          <Link href={search.hrefWith({ range: 'all' })}>Look at any time</Link>
        </p>
      )}
      {isText && <p className={css.small}>Payloads and results with hidden fields are not looked into.</p>}
    </div>
  )
}
