import { Component, type ReactNode } from 'react'
import { Button } from '../ui/button.js'
import { Copy } from '../ui/copy.js'
import { Note } from '../ui/note.js'
import { Page } from '../ui/page.js'
import css from './failure.module.css'
import { isOutdated, toText } from './fault.js'

interface FailureProps {
  /** Another address is another try. */
  readonly path: string
  readonly children: ReactNode
}

/** Says what happened where a page broke, while all around it goes on. */
export class Failure extends Component<FailureProps, { readonly error?: unknown; readonly path: string }> {
  override state = { path: this.props.path }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  static getDerivedStateFromProps({ path }: FailureProps, state: { readonly path: string }) {
    return path === state.path ? null : { path, error: undefined }
  }

  override render() {
    const { error } = this.state as { readonly error?: unknown }
    return error === undefined ? this.props.children : <Broken error={error} />
  }
}

function Broken({ error }: { readonly error: unknown }) {
  if (isOutdated(error)) return <Outdated />
  const text = toText(error)
  return (
    <Page title="This page broke">
      <Note kind="danger" title="The page could not be shown." aside={<Reload />}>
        It is a fault of the dashboard, not of your jobs: they go on. Load it again; if that does not help,
        tell its makers what stands below.
      </Note>
      <details className={css.details}>
        <summary>What happened</summary>
        <pre>{text}</pre>
        <Copy text={text} label="Copy what happened" />
      </details>
    </Page>
  )
}

/** Its files have gone from the server, as another version runs there now, or the server is away. */
function Outdated() {
  return (
    <Page title="A part of this page is missing">
      <Note kind="warning" title="It could not be loaded." aside={<Reload />}>
        The app was deployed anew while this page was open, or it does not answer right now. Load the page
        again.
      </Note>
    </Page>
  )
}

function Reload() {
  return (
    <Button kind="primary" onClick={() => location.reload()}>
      Load again
    </Button>
  )
}
