import { Button } from '../../ui/button.js'
import { Note } from '../../ui/note.js'
import type { Strange } from './view.js'

interface NotUnderstoodProps {
  readonly strange: readonly Strange[]
  onLeaveOut(): void
}

/** A mistyped or old link would else show other jobs than it says. */
export function NotUnderstood({ strange, onLeaveOut }: NotUnderstoodProps) {
  if (strange.length === 0) return null
  return (
    <Note
      kind="warning"
      title="Part of this address was not understood"
      aside={
        <Button size="small" onClick={onLeaveOut}>
          Leave it out
        </Button>
      }
    >
      The list goes by the rest alone, without{' '}
      {strange.map(({ name, value }, at) => (
        <span key={`${name} ${value}`}>
          {at > 0 && ', '}
          <code>
            {name}={value.slice(0, longest)}
          </code>
        </span>
      ))}
      , and offers nothing for all that match until that is left out.
    </Note>
  )
}

const longest = 60
