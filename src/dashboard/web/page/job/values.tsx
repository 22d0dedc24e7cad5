import { useState } from 'react'
import { isEnd } from '../../../../job/state.js'
import type { JobPage } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { useMay } from '../../api/use-api.js'
import { Button } from '../../ui/button.js'
import { Card, Grid } from '../../ui/card.js'
import { ActDialog } from '../../ui/dialog.js'
import { JsonView } from '../../ui/json.js'
import { LongText } from '../../ui/long-text.js'
import { Badge } from '../../ui/state.js'
import css from './values.module.css'

interface Revealed {
  readonly payload: unknown
  readonly result: unknown
}

/** What goes in, and what came out. */
export function Values({ page: { job, isRedacted } }: { readonly page: Json<JobPage> }) {
  const [revealed, setRevealed] = useState<Revealed & { readonly id: string }>()
  const seen = revealed?.id === job.id ? revealed : undefined
  const { payload, result } = seen ?? job
  return (
    <Grid least={440}>
      <Card
        title="Payload"
        aside={isRedacted && <Hidden id={job.id} isSeen={seen !== undefined} onReveal={setRevealed} />}
      >
        {payload === undefined ? (
          <p className={css.none}>It has none.</p>
        ) : (
          <JsonView label="payload" value={payload} />
        )}
      </Card>
      {job.error && job.state !== 'succeeded' ? (
        <Failure error={job.error} state={job.state} />
      ) : (
        <Result job={job} result={result} />
      )}
    </Grid>
  )
}

interface ResultProps {
  readonly job: Json<JobPage>['job']
  readonly result: unknown
}

function Result({ job: { state, resultError, progress }, result }: ResultProps) {
  return (
    <Card title="Result">
      {state === 'succeeded' && resultError !== null && <p className={css.none}>{resultError}</p>}
      {state === 'succeeded' && resultError === null && result === undefined && (
        <p className={css.none}>It returned nothing, or its result is no longer kept.</p>
      )}
      {result !== undefined && result !== null && <JsonView label="result" value={result} />}
      {result === null && <JsonView label="result" value={null} />}
      {state !== 'succeeded' && (result === undefined || result === null) && (
        <p className={css.none}>{isEnd(state) ? 'It has none.' : 'None yet.'}</p>
      )}
      {isEnd(state) && progress !== undefined && progress !== null && (
        <>
          <h3 className={css.head}>Last progress</h3>
          <JsonView label="progress" value={progress} />
        </>
      )}
    </Card>
  )
}

type StoredError = NonNullable<Json<JobPage>['job']['error']>

/** Frames of a stack beyond these are mostly those of the machinery. */
const usualFrames = 6

function Failure({ error, state }: { readonly error: StoredError; readonly state: string }) {
  const [isWhole, setWhole] = useState(false)
  const { name, message, code, workers } = error
  const lines = framesOf(error)
  const shown = isWhole ? lines : lines.slice(0, usualFrames)
  return (
    <Card
      title={state === 'failed' ? 'Error' : 'Error of the last attempt'}
      aside={code !== undefined && <Badge tone="danger">{code}</Badge>}
    >
      <p className={css.message}>
        <strong>{name}</strong> {message}
      </p>
      {workers && workers.length > 0 && (
        <p className={css.none}>
          Workers that went down with it:{' '}
          {workers.map((worker) => `${worker.name} (${worker.host}:${worker.pid})`).join(', ')}
        </p>
      )}
      {lines.length > 0 && (
        <LongText
          label="stack"
          text={shown.join('\n')}
          isWide
          below={
            lines.length > shown.length && (
              <Button size="small" onClick={() => setWhole(true)}>
                Show {lines.length - shown.length} more lines
              </Button>
            )
          }
        />
      )}
    </Card>
  )
}

/** Without what is said above it already. */
function framesOf({ name, message, stack = '' }: StoredError): readonly string[] {
  const head = `${name}: ${message}`
  const rest = stack.startsWith(head) ? stack.slice(head.length) : stack
  return rest
    .split('\n')
    .map((line) => line.replace(/^ {4}(?=at )/, ''))
    .filter((line) => line.trim() !== '')
}

interface HiddenProps {
  readonly id: string
  readonly isSeen: boolean
  onReveal(revealed: (Revealed & { readonly id: string }) | undefined): void
}

/** Fields are hidden. Whoever may see them says that he wants to, for it is written down. */
function Hidden({ id, isSeen, onReveal }: HiddenProps) {
  const mayReveal = useMay('job.reveal')
  const [isAsked, setAsked] = useState(false)
  if (isSeen)
    return (
      <Button size="small" onClick={() => onReveal(undefined)}>
        Hide again
      </Button>
    )
  return (
    <>
      <Badge tone="warning">fields are hidden</Badge>
      {mayReveal && (
        <Button size="small" onClick={() => setAsked(true)}>
          Reveal
        </Button>
      )}
      <ActDialog
        title="Show what is hidden?"
        verb="Reveal"
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        act={async () => {
          const { payload, result } = await call('POST /jobs/:id/reveal', { params: { id } })
          onReveal({ id, payload, result })
        }}
      >
        <p>
          The audit notes that you have seen the hidden fields of this job. They are shown on this page until
          you leave it. What was removed from the store when the job ended is gone for everybody.
        </p>
      </ActDialog>
    </>
  )
}
