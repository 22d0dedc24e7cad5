import type { SystemPage as Answer } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { Grid } from '../../ui/card.js'
import { tellDuration } from '../../ui/format.js'
import { Note, ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { Waiting } from '../../ui/waiting.js'
import { Passes } from './passes-card.js'
import { ServerCard } from './server-card.js'
import { Sizes } from './sizes.js'
import css from './system.module.css'

export type SystemData = Json<Answer>

/** What the jobs stand on: the server that moves them, the server that remembers them, and what mends the rest. */
export default function SystemPage() {
  const { data, problem } = useApi('GET /system', {})
  return (
    <Page title="Broker and store" note={<Lag ms={data?.dispatchLagMs} />}>
      <ProblemNote problem={problem} />
      {data ? <Known system={data} /> : !problem && <Waiting height={820} />}
    </Page>
  )
}

/** Longer than a batch takes on a busy day. */
const lateMs = 5000

/** @param ms `undefined`: asked for; `null`: not known */
function Lag({ ms }: { readonly ms: number | null | undefined }) {
  if (ms === undefined) return '\u00a0'
  if (ms === null) return 'How far the broker is behind the store is not known.'
  return ms === 0
    ? 'The broker has every job that is due.'
    : `The broker lags ${tellDuration(ms)} behind the store.`
}

function Known({ system }: { readonly system: SystemData }) {
  const { broker, store, tables, passes, dispatchLagMs } = system
  return (
    <>
      {dispatchLagMs !== null && dispatchLagMs > lateMs && (
        <Note kind="warning" title="Jobs wait for the broker">
          Jobs have been accepted for {tellDuration(dispatchLagMs)} that the broker is not known to have. They
          are safe in the store, and are delivered as soon as it takes them: see whether it answers, and
          whether the process that accepted them still runs. Maintenance sends what was left.
        </Note>
      )}
      <Grid least={440}>
        <ServerCard title="Broker" server={broker} />
        <ServerCard title="Store" server={store} />
      </Grid>
      <Sizes tables={tables} />
      <Passes passes={passes} isKnown={store.health !== 'down'} />
      <p className={css.note}>
        The same on the command line: <code>npx celeriac check</code>
      </p>
    </>
  )
}
