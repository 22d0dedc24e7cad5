import { useApi } from '../../api/use-api.js'
import { Note } from '../../ui/note.js'
import { groupsOf } from '../overview/attention.js'

/** Queues with jobs that nobody will start, and how to start a worker for them. @param only this one */
export function UnservedNotes({ only }: { readonly only?: string }) {
  const { data } = useApi('GET /status', {})
  const found = (data?.problems ?? []).filter(
    ({ code, queue }) => code === 'queue-unserved' && (only === undefined || queue === only),
  )
  return groupsOf(found).map(({ title, problems: [first] }) => (
    <Note key={title === undefined ? first?.queue : 'many'} kind="warning" title={title ?? first?.message}>
      {title !== undefined && `They are marked in the list. For "${first?.queue}": `}
      {first?.cure}
    </Note>
  ))
}
