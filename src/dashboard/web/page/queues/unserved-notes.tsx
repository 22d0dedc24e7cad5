import { useApi } from '../../api/use-api.js'
import { Note } from '../../ui/note.js'

/** Queues with jobs that nobody will start, each with how to start a worker for it. @param only this one */
export function UnservedNotes({ only }: { readonly only?: string }) {
  const { data } = useApi('GET /status', {})
  const found = (data?.problems ?? []).filter(
    ({ code, queue }) => code === 'queue-unserved' && (only === undefined || queue === only),
  )
  return found.map(({ queue, message, cure }) => (
    <Note key={queue} kind="warning" title={message}>
      {cure}
    </Note>
  ))
}
