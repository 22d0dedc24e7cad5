import type { ReactNode } from 'react'
import type { Problem } from '../api/call.js'
import { useApi } from '../api/use-api.js'
import { Button } from '../ui/button.js'
import { Empty } from '../ui/empty.js'
import { Page } from '../ui/page.js'

/** Shows the pages to those who may see them. A session may end while they are open. */
export function Admission({ children }: { readonly children: ReactNode }) {
  const { data: me, problem } = useApi('GET /me', {})
  if (problem?.status === 401) return <Ended />
  if (problem?.status === 403) return <Refused problem={problem} wasIn={me !== undefined} />
  return children
}

function Ended() {
  return (
    <Page title="Your session has ended">
      <Empty title="Log in again to go on where you were.">
        <p>Nothing is lost: what was begun goes on, and this page comes back to the same address.</p>
        <Again>Log in</Again>
      </Empty>
    </Page>
  )
}

function Refused({ problem, wasIn }: { readonly problem: Problem; readonly wasIn: boolean }) {
  return (
    <Page title={wasIn ? 'You may no longer see this dashboard' : 'You may not see this dashboard'}>
      <Empty title={problem.message}>
        <p>
          {wasIn
            ? 'You may have been logged out of the app, or your rights have changed. Log in to the app, then come back.'
            : 'Ask whoever runs this app to let you in: its option authorize says who may.'}
        </p>
        <Again>Try again</Again>
      </Empty>
    </Page>
  )
}

/** The server decides anew, and knows where to log in. */
function Again({ children }: { readonly children: string }) {
  return (
    <p>
      <Button kind="primary" onClick={() => location.reload()}>
        {children}
      </Button>
    </p>
  )
}
