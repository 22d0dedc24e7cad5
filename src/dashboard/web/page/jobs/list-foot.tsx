import { Link } from 'wouter'
import type { JobsPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { SelectField } from '../../ui/field.js'
import { Pager } from '../../ui/pager.js'
import css from './list-foot.module.css'
import { LookedTo } from './looked-to.js'
import type { useJobsView } from './use-view.js'
import { sizes } from './view.js'

/** Of the list, to which a step through its pages leads. */
export const listId = 'list-of-jobs'

interface ListFootProps extends ReturnType<typeof useJobsView> {
  readonly page: Json<JobsPage>
  /** It is of the list before. */
  readonly isOld: boolean
}

/** Of a page that cannot be shown, such as one whose place in the list is none. */
export function WayBack({
  sort,
  search,
}: Pick<ListFootProps, 'search'> & Pick<ListFootProps['view'], 'sort'>) {
  return (
    <div className={css.foot}>
      <Link href={search.hrefWith({ cursor: undefined, selected: undefined })}>
        ← {sort === 'newest' ? 'Newest' : 'Oldest'}
      </Link>
    </div>
  )
}

/** How far the list has looked, how long its pages are, and the way to the others. */
export function ListFoot({ view, change, search, page, isOld }: ListFootProps) {
  return (
    <div className={css.foot}>
      {isOld ? <span /> : <LookedTo view={view} page={page} />}
      <div className={css.steps}>
        <SelectField
          label="Length of a page"
          isLabelShown={false}
          value={String(view.size)}
          options={sizes.map((size) => ({ value: String(size), label: `${size} a page` }))}
          onChange={(size) => change({ size: Number(size) })}
        />
        <Pager
          sort={view.sort}
          cursor={view.cursor}
          next={page.cursor}
          head={listId}
          hrefOf={(place) => search.hrefWith({ cursor: place, selected: undefined })}
        />
      </div>
    </div>
  )
}
