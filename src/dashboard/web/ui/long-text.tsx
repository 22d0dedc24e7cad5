import { type ReactNode, useMemo, useState } from 'react'
import { Button } from './button.js'
import { Copy } from './copy.js'
import { tellBytes } from './format.js'
import css from './json.module.css'
import { offer } from './save.js'

interface LongTextProps {
  /** What it is; read aloud, and the name of its file. */
  readonly label: string
  readonly text: string
  readonly extension?: string
  /** Its lines stay lines, however long. */
  readonly isWide?: boolean
  /** Beside the way to copy it, where that stands below. */
  readonly below?: ReactNode
  paint?(text: string): ReactNode
}

/** Characters that are shown of a long text: more of them hold a browser up. */
const usual = 20_000
/** So much can be shown when somebody wants it. */
const most = 2_000_000

/** A text in a frame of its own, in which it scrolls. Of a long one the beginning; all of it can be had as a file. */
export function LongText({
  label,
  text,
  extension = 'txt',
  isWide = false,
  below,
  paint = asItIs,
}: LongTextProps) {
  const [isWhole, setWhole] = useState(false)
  const shown = isWhole ? text : text.slice(0, usual)
  const painted = useMemo(() => paint(shown), [paint, shown])
  const isCut = shown.length < text.length
  const look = `${css.json} ${isWide ? css.isWide : ''}`
  return (
    <div className={css.frame}>
      {/* A long value scrolls in its place, which must be reached by keyboard as well. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <section className={look} tabIndex={0} aria-label={`${label}: content`}>
        <pre>{painted}</pre>
      </section>
      <div className={isWide ? css.below : css.copy}>
        <Copy text={text} label={`Copy ${label}`} />
        {below}
      </div>
      {isCut && (
        <p className={css.cut}>
          The first {tellBytes(shown.length)} of {tellBytes(text.length)}.{' '}
          {text.length <= most && (
            <Button size="small" onClick={() => setWhole(true)}>
              Show all
            </Button>
          )}{' '}
          <Button
            size="small"
            onClick={() => offer(new Blob([text], { type: 'text/plain' }), `${label}.${extension}`)}
          >
            Save as a file
          </Button>
        </p>
      )}
    </div>
  )
}

function asItIs(text: string): ReactNode {
  return text
}
