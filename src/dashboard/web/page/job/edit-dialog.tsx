import { useState } from 'react'
import { useLocation } from 'wouter'
import type { JobPage, TaskPage } from '../../../api/contract.js'
import { call, Problem } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { useApi, useMay } from '../../api/use-api.js'
import { ActDialog, Dialog } from '../../ui/dialog.js'
import { Note } from '../../ui/note.js'
import { useTell } from '../../ui/toast.js'
import { usePresent } from '../../ui/use-present.js'
import { Waiting } from '../../ui/waiting.js'
import { type Fault, strayFaults } from '../tasks/draft.js'
import { PayloadEditor } from '../tasks/payload-editor.js'
import { type PayloadDraft, usePayload } from '../tasks/use-payload.js'
import { callOf } from './call-of.js'
import css from './edit-dialog.module.css'
import { SchemaHints } from './schema-hints.js'

interface EditDialogProps {
  readonly page: Json<JobPage>
  /** `retry`: the job itself begins anew. `copy`: another one is enqueued. */
  readonly kind: 'retry' | 'copy'
  onClose(): void
}

const words = {
  retry: {
    titleOf: (id: string) => `Retry job ${id.slice(-8)} with another payload`,
    verb: 'Retry',
    about: 'The job begins anew with this payload. What its attempts did before stays in its history.',
  },
  copy: {
    titleOf: (id: string) => `Enqueue a copy of job ${id.slice(-8)}`,
    verb: 'Enqueue',
    about: 'Another job of the same task, for the same owner, in the same queue. This one stays as it is.',
  },
} as const

/** A payload to be changed, by a form or as JSON, once it is known what the task takes. */
export function EditDialog(props: EditDialogProps) {
  const { id, task: name } = props.page.job
  const { data, problem } = useApi('GET /tasks/:name', { params: { name } })
  const task = data?.name === name ? data : undefined
  if (task || problem) return <Editor {...props} task={task} />
  return (
    <Dialog title={words[props.kind].titleOf(id)} isOpen isWide onClose={props.onClose}>
      <Waiting height={320} />
    </Dialog>
  )
}

/** @param task `undefined`: nobody knows it here */
function Editor({
  page,
  kind,
  onClose,
  task,
}: EditDialogProps & { readonly task: Json<TaskPage> | undefined }) {
  const { job, isRedacted } = page
  const mayEdit = useMay('job.edit')
  const tell = useTell()
  const [, go] = useLocation()
  const isPresent = usePresent()
  const schema = task?.schema.jsonSchema ?? null
  const payload = usePayload(schema, { value: job.payload })
  const [faults, setFaults] = useState<readonly Fault[]>([])
  const { titleOf, verb, about } = words[kind]
  // What has succeeded has none of them any more.
  const keepsHidden = isRedacted && (kind === 'retry' || (mayEdit && job.state !== 'succeeded'))

  const act = async () => {
    const read = payload.read()
    setFaults('faults' in read ? read.faults : [])
    if ('faults' in read) throw unfit(payload, read.faults)
    const body = read.value === undefined ? {} : { payload: read.value }
    await (kind === 'retry' ? retry(body) : copy(body)).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.issues.length === 0) throw error
      setFaults(error.issues)
      throw unfit(payload, error.issues)
    })
  }
  const retry = async (body: { payload?: unknown }) => {
    await call('POST /jobs/:id/retry', { params: { id: job.id }, body })
    tell('It begins anew, with the new payload')
  }
  const copy = async (body: { payload?: unknown }) => {
    const { task: name, payload: _, tags, ...options } = callOf(job, task)
    const { id, created } = await call('POST /tasks/:name/enqueue', {
      params: { name },
      body: {
        ...{ ...body, ...options, ...(tags ? { tags: [...tags] } : {}) },
        ...(keepsHidden ? { copyOf: job.id } : {}),
      },
    })
    tell(created ? 'A copy was enqueued' : 'There is such a job already')
    if (isPresent()) go(`/jobs/${id}`)
  }

  return (
    <ActDialog title={titleOf(job.id)} verb={verb} noValidate isWide isOpen onClose={onClose} act={act}>
      <p>{about}</p>
      {isRedacted && <HiddenNote isKept={keepsHidden} />}
      <div className={css.sides}>
        <PayloadEditor payload={payload} faults={faults} example={task?.schema.example} />
        {schema && payload.mode === 'json' && <SchemaHints schema={schema} />}
      </div>
    </ActDialog>
  )
}

/** What the task has against it stands beside the fields, and here only what has none. */
function unfit({ form, mode }: PayloadDraft, faults: readonly Fault[]): Problem {
  const strays = form && mode === 'form' ? strayFaults(form, faults) : []
  const said = 'The payload is not what the task takes. Nothing was done.'
  const where = strays.length < faults.length ? ' See beside the fields.' : ''
  return new Problem(422, 'PAYLOAD_INVALID', said + where, strays)
}

function HiddenNote({ isKept }: { readonly isKept: boolean }) {
  if (isKept)
    return (
      <Note kind="info">
        Fields that are hidden keep their value where <code>[redacted]</code> is left as it is.
      </Note>
    )
  return (
    <Note kind="warning">
      Fields are hidden, and their values are not there to be kept: write what they should be in the place of{' '}
      <code>[redacted]</code>.
    </Note>
  )
}
