import { useState } from 'react'
import type { TaskPage } from '../../../api/contract.js'
import { call, Problem } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { Button } from '../../ui/button.js'
import { Dialog, useAct } from '../../ui/dialog.js'
import { Note, ProblemNote } from '../../ui/note.js'
import { type Fault, strayFaults } from './draft.js'
import { FaultList, PayloadEditor } from './payload-editor.js'
import css from './payload-form.module.css'
import { RunOptionFields } from './run-options.js'
import { RunOutcome } from './run-outcome.js'
import { runBody, runFaults, usualRun } from './run-request.js'
import { usePayload } from './use-payload.js'

interface RunDialogProps {
  readonly task: Json<TaskPage>
  onClose(): void
}

/** Enqueues a job of the task by hand, and shows what comes of it. */
export function RunDialog({ task, onClose }: RunDialogProps) {
  const payload = usePayload(task.schema.jsonSchema)
  const [options, setOptions] = useState(usualRun)
  const [faults, setFaults] = useState<readonly Fault[]>([])
  const [run, setRun] = useState<{ readonly id: string; readonly created: boolean }>()
  const { isBusy, problem, run: act } = useAct()
  const optionFaults = runFaults(options)
  const strays = payload.form && payload.mode === 'form' ? strayFaults(payload.form, faults) : []
  const enqueue = async () => {
    const read = payload.read()
    if ('faults' in read) return setFaults(read.faults)
    setFaults([])
    await act(async () => {
      const asked = { params: { name: task.name }, body: runBody(read.value, options) }
      setRun(await call('POST /tasks/:name/enqueue', asked).catch(note))
    })
  }
  /** What the task has against the payload stands beside its fields. */
  const note = (error: unknown): never => {
    if (error instanceof Problem) setFaults(error.issues)
    throw error
  }
  return (
    <Dialog title={`Run ${task.name}`} isOpen isWide onClose={onClose}>
      {run ? (
        <>
          <RunOutcome id={run.id} isNew={run.created} />
          <div className={css.buttons}>
            <Button onClick={() => setRun(undefined)}>Run another</Button>
            <Button kind="primary" onClick={onClose}>
              Close
            </Button>
          </div>
        </>
      ) : (
        <form
          className={css.fields}
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            void enqueue()
          }}
        >
          {task.workers.length === 0 && (
            <Note kind="warning">No live worker runs this task: the job will wait until one does.</Note>
          )}
          <PayloadEditor payload={payload} faults={faults} example={task.schema.example} />
          <RunOptionFields
            options={options}
            faults={optionFaults}
            queue={task.queue}
            attempts={task.attempts}
            onChange={(change) => setOptions({ ...options, ...change })}
          />
          {faults.length > 0 && (
            <Note kind="danger" title="The payload is not what the task takes">
              Nothing was enqueued.{strays.length < faults.length && ' See beside the fields.'}
              <FaultList faults={strays} />
            </Note>
          )}
          {faults.length === 0 && <ProblemNote problem={problem} />}
          <div className={css.buttons}>
            <Button onClick={onClose}>Not now</Button>
            <Button
              type="submit"
              kind="primary"
              isBusy={isBusy}
              disabled={Object.keys(optionFaults).length > 0}
            >
              Enqueue
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}
