import type { ReactNode } from 'react'
import { isOutage, type Problem } from '../api/call.js'
import css from './note.module.css'

interface NoteProps {
  readonly kind: 'info' | 'warning' | 'danger' | 'success'
  readonly title?: ReactNode
  readonly aside?: ReactNode
  readonly children?: ReactNode
}

export function Note({ kind, title, aside, children }: NoteProps) {
  return (
    <div className={`${css.note} ${css[kind]}`} role={kind === 'danger' ? 'alert' : 'status'}>
      <div className={css.text}>
        {title !== undefined && <strong>{title}</strong>}
        {children !== undefined && <div>{children}</div>}
      </div>
      {aside !== undefined && <div className={css.aside}>{aside}</div>}
    </div>
  )
}

/** What went wrong, in the server's own words. */
export function ProblemNote({ problem }: { readonly problem: Problem | undefined }) {
  if (!problem) return null
  return (
    <Note kind={isOutage(problem) ? 'warning' : 'danger'} title={titleOf(problem)}>
      {problem.message}
      {problem.issues.length > 0 && (
        <ul>
          {problem.issues.map(({ path, message }) => (
            <li key={`${path.join('.')} ${message}`}>
              <code>{path.join('.') || 'payload'}</code>: {message}
            </li>
          ))}
        </ul>
      )}
    </Note>
  )
}

function titleOf(problem: Problem): string {
  const { status } = problem
  if (status === 0) return 'Offline'
  if (status === 403) return 'Not allowed'
  if (status === 404) return 'Not found'
  if (status === 401) return 'Log in again'
  return isOutage(problem) ? 'Not available right now' : 'That did not work'
}
