import { Link } from 'wouter'
import type { JobsPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useSearch } from '../../api/use-search.js'
import { Empty } from '../../ui/empty.js'
import { Time } from '../../ui/time.js'
import { isEverything, type JobsView } from './view.js'

interface NoJobsProps {
  readonly view: JobsView
  readonly page: Json<JobsPage>
}

/** In the place of the list: why it is empty, and what to do. */
export function NoJobs({ view, page }: NoJobsProps) {
  const search = useSearch()
  if (page.isCut)
    return (
      <Empty title="None so far">
        It has looked back to <Time at={page.lookedTo} />. Look further below.
      </Empty>
    )
  if (isEverything(view) && view.cursor === '')
    return (
      <Empty title="No job yet">
        A job appears here as soon as one is enqueued:
        <pre>npx celeriac call mail.send --payload '{'{"to":"ada@example.com"}'}'</pre>
      </Empty>
    )
  if (view.range !== 'all')
    return (
      <Empty title="No job matches in this time">
        <Link href={search.hrefWith({ range: 'all', cursor: undefined })}>Look at any time</Link>
      </Empty>
    )
  return (
    <Empty title="No job matches">
      Finished jobs go after a while (see <code>retain</code>). <Link href="/jobs">Show all jobs</Link>
    </Empty>
  )
}
