import { type ReactNode, useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import { useOutage } from '../api/use-api.js'
import { arrive } from './arrival.js'
import { Stack } from './card.js'
import { tellMoment } from './format.js'
import { Note } from './note.js'
import css from './page.module.css'

interface PageProps {
  /** Of the browser's tab, and of the page where there is no `head`. */
  readonly title: string
  readonly head?: ReactNode
  /** Beside the title: what can be done. */
  readonly aside?: ReactNode
  /** Under the title, in a line. */
  readonly note?: ReactNode
  readonly children: ReactNode
}

export function Page({ title, head = title, aside, note, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  const [path] = useLocation()
  useEffect(() => {
    document.title = `${title} · Celeriac`
  }, [title])
  useEffect(() => arrive(path, heading.current), [path])
  return (
    <>
      <header className={css.head}>
        <div className={css.words}>
          <h1 ref={heading} tabIndex={-1}>
            {head}
          </h1>
          {note !== undefined && <div className={css.note}>{note}</div>}
        </div>
        {aside !== undefined && <div className={css.aside}>{aside}</div>}
      </header>
      <Stack>
        <OutageNote />
        {children}
      </Stack>
    </>
  )
}

/** Of all that is shown, for as long as nothing new is heard. */
function OutageNote() {
  const outage = useOutage()
  if (!outage) return null
  return (
    <Note kind="warning" title={outage.message}>
      Nothing new is known since {tellMoment(outage.since)}. This page tries again by itself.
    </Note>
  )
}
