import { useState } from 'react'
import { useLocation } from 'wouter'
import type { JobPage } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { ActDialog } from '../../ui/dialog.js'
import { AreaField } from '../../ui/field.js'
import { JsonView } from '../../ui/json.js'
import { Note } from '../../ui/note.js'
import { useTell } from '../../ui/toast.js'
import { callOf } from './call-of.js'
import css from './edit-dialog.module.css'

interface EditDialogProps {
  readonly page: Json<JobPage>
  /** `retry`: the job itself begins anew. `copy`: another one is enqueued. */
  readonly kind: 'retry' | 'copy'
  onClose(): void
}

const words = {
  retry: {
    title: 'Retry with another payload',
    verb: 'Retry',
    about: 'The job begins anew with this payload. What its attempts did before stays in its history.',
  },
  copy: {
    title: 'Enqueue a copy',
    verb: 'Enqueue',
    about: 'Another job of the same task, for the same owner, in the same queue. This one stays as it is.',
  },
} as const

/** A payload as JSON, with what its task takes beside it. The server holds it to the schema, and says what is wrong. */
export function EditDialog({ page, kind, onClose }: EditDialogProps) {
  const { job, isRedacted } = page
  const tell = useTell()
  const [, go] = useLocation()
  const [text, setText] = useState(() =>
    job.payload === undefined ? '' : JSON.stringify(job.payload, null, 2),
  )
  const { data: task } = useApi('GET /tasks/:name', { params: { name: job.task } })
  const parsed = parse(text)
  const { title, verb, about } = words[kind]
  const act = async () => {
    const body = parsed.payload === undefined ? {} : { payload: parsed.payload }
    if (kind === 'retry') {
      await call('POST /jobs/:id/retry', { params: { id: job.id }, body })
      return tell('It begins anew, with the new payload')
    }
    const { task: name, payload: _, ...options } = callOf(job, undefined)
    const { id, created } = await call('POST /tasks/:name/enqueue', {
      params: { name },
      body: { ...body, ...options, tags: [...job.tags] },
    })
    tell(created ? 'A copy was enqueued' : 'There is such a job already')
    go(`/jobs/${id}`)
  }
  return (
    <ActDialog
      title={title}
      verb={verb}
      isReady={parsed.fault === undefined}
      isWide
      isOpen
      onClose={onClose}
      act={act}
    >
      <p>{about}</p>
      {isRedacted && (
        <Note kind="info">
          {kind === 'retry' ? (
            <>
              Fields that are hidden keep their value where <code>[redacted]</code> is left as it is.
            </>
          ) : (
            <>
              Fields are hidden, and stand here as <code>[redacted]</code>: put in what they should be.
            </>
          )}
        </Note>
      )}
      <div className={css.sides}>
        <AreaField
          label="Payload"
          rows={16}
          value={text}
          isWrong={parsed.fault !== undefined}
          hint={parsed.fault ?? 'JSON. Empty: no payload.'}
          onChange={({ target }) => setText(target.value)}
        />
        {task?.schema.jsonSchema && (
          <div className={css.schema}>
            <p className={css.label}>What the task takes</p>
            <JsonView label="schema" value={task.schema.jsonSchema} />
          </div>
        )}
      </div>
    </ActDialog>
  )
}

/** @returns what is wrong with it, as the browser says, or the value */
function parse(text: string): { readonly payload?: unknown; readonly fault?: string } {
  if (text.trim() === '') return {}
  try {
    return { payload: JSON.parse(text) as unknown }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}
