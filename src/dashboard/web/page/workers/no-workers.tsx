import { Link } from 'wouter'
import { Empty } from '../../ui/empty.js'

interface NoWorkersProps {
  readonly shown: 'live' | 'lost' | 'stopped' | 'all'
  /** There has never been one, as far as the store remembers. */
  readonly isFirst: boolean
}

/** Why the list is empty, and what to do. */
export function NoWorkers({ shown, isFirst }: NoWorkersProps) {
  if (shown === 'lost')
    return <Empty title="No worker was lost.">Those of the last days would stand here.</Empty>
  if (shown === 'stopped')
    return <Empty title="No worker has stopped.">Those of the last days would stand here.</Empty>
  return (
    <Empty
      title={isFirst ? 'No worker has ever run.' : 'No worker runs: jobs are accepted, and none starts.'}
    >
      <p>Start one beside your app, as many as you like, on any machine that reaches its servers:</p>
      <pre>npx celeriac worker</pre>
      {!isFirst && (
        <p>
          Those that ran before are among <Link href="/workers?state=all">all</Link>.
        </p>
      )}
    </Empty>
  )
}
