import { Copy } from './copy.js'
import css from './json.module.css'

/** A value as JSON, coloured by kind; text is shown as it is, never as markup. */
export function JsonView({ label, value }: { readonly label: string; readonly value: unknown }) {
  const text = value === undefined ? 'undefined' : JSON.stringify(value, null, 2)
  return (
    <div className={css.frame}>
      {/* A long value scrolls in its place, which must be reached by keyboard as well. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <section className={css.json} tabIndex={0} aria-label={label}>
        <pre>{text.length > longestColoured ? text : colour(text)}</pre>
      </section>
      <div className={css.copy}>
        <Copy text={text} label={`Copy ${label}`} />
      </div>
    </div>
  )
}

const longestColoured = 100_000
const token = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

function colour(text: string) {
  const parts = []
  let end = 0
  for (const match of text.matchAll(token)) {
    const [whole, quoted, colon] = match
    parts.push(text.slice(end, match.index))
    const kind = colon === undefined ? (quoted === undefined ? css.word : css.text) : css.key
    parts.push(
      <span key={match.index} className={kind}>
        {quoted ?? whole}
      </span>,
      colon ?? '',
    )
    end = match.index + whole.length
  }
  return [...parts, text.slice(end)]
}
