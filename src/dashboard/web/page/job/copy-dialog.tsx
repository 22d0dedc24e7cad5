import { useState } from 'react'
import type { JobPage } from '../../../api/contract.js'
import { urlOf } from '../../api/address.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { Button } from '../../ui/button.js'
import { Choice } from '../../ui/choice.js'
import { Dialog } from '../../ui/dialog.js'
import { LongText } from '../../ui/long-text.js'
import { Note } from '../../ui/note.js'
import { callOf } from './call-of.js'
import css from './copy-dialog.module.css'
import { toCli, toCurl, toTypeScript } from './snippets.js'

interface CopyDialogProps {
  readonly page: Json<JobPage>
  onClose(): void
}

type Kind = 'curl' | 'cli' | 'typescript'

/** The job as a call that enqueues such another. */
export function CopyDialog({ page: { job, isRedacted }, onClose }: CopyDialogProps) {
  const [kind, setKind] = useState<Kind>('curl')
  const { data: task } = useApi('GET /tasks/:name', { params: { name: job.task } })
  const call = callOf(job, task?.name === job.task ? task : undefined)
  const text = {
    curl: () => toCurl(call, urlOf('')),
    cli: () => toCli(call),
    typescript: () => toTypeScript(call),
  }[kind]()
  return (
    <Dialog title="Enqueue such a job" isOpen isWide onClose={onClose}>
      <Choice<Kind>
        label="Form"
        value={kind}
        options={[
          { value: 'curl', label: 'curl' },
          { value: 'cli', label: 'Command line' },
          { value: 'typescript', label: 'TypeScript' },
        ]}
        onChange={setKind}
      />
      {isRedacted && (
        <Note kind="warning">
          Fields of this payload are hidden, and stand here as <code>[redacted]</code>. Put in what they
          should be.
        </Note>
      )}
      <LongText label={kind} text={text} />
      {kind === 'curl' && (
        <p className={css.small}>Add what your authentication asks for: a cookie, a header, or -u.</p>
      )}
      <div className={css.buttons}>
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  )
}
