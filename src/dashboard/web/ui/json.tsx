import { useMemo } from 'react'
import css from './json.module.css'
import { LongText } from './long-text.js'

/** A value as JSON, coloured by kind; text is shown as it is, never as markup. Of a large one, the beginning. */
export function JsonView({ label, value }: { readonly label: string; readonly value: unknown }) {
  const text = useMemo(() => (value === undefined ? 'undefined' : JSON.stringify(value, null, 2)), [value])
  return <LongText label={label} text={text} extension="json" paint={colour} />
}

const longestColoured = 40_000
const token = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

function colour(text: string) {
  if (text.length > longestColoured) return text
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
