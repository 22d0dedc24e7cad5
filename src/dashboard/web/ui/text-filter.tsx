import { useEffect, useId, useRef, useState } from 'react'
import css from './filter.module.css'
import { saysSame } from './typed.js'

interface TextFilterProps {
  readonly label: string
  readonly value: string
  /** Suggested; others may be typed. */
  readonly names: readonly string[] | undefined
  /** So long after the last key it holds. Default: at once, as it seems. */
  readonly afterMs?: number
  /** What is half written is not asked for by itself. Default: all can be asked for. */
  readonly isWhole?: (text: string) => boolean
  /** A few letters are enough. */
  readonly isShort?: boolean
  /** @param isMore it goes on with what was typed a moment ago, and takes its place */
  onChange(value: string, isMore: boolean): void
}

const usualMs = 120

/** A server is asked once nobody has typed for so long. */
export const pauseMs = 500

/** Text that holds as it is typed; by Enter and by going on also what is not whole. */
export function TextFilter({
  label,
  value,
  names = [],
  afterMs = usualMs,
  isWhole = () => true,
  isShort = false,
  onChange,
}: TextFilterProps) {
  const [typed, setTyped] = useState(value)
  const isMore = useRef(false)
  const list = useId()
  // What one is just typing stays as it is: also the space or the comma at its end.
  useEffect(() => setTyped((text) => (saysSame(text, value) ? text : value)), [value])
  const confirm = (text: string) => {
    if (saysSame(text, value)) return
    onChange(text.trim(), isMore.current)
    isMore.current = true
  }
  const settle = useRef((_text: string) => {})
  settle.current = (text) => {
    if (isWhole(text.trim())) confirm(text)
  }
  useEffect(() => {
    const timer = setTimeout(() => settle.current(typed), afterMs)
    return () => clearTimeout(timer)
  }, [typed, afterMs])
  return (
    <label className={`${css.filter} ${isShort ? css.isShort : ''}`}>
      <span className={css.name}>{label}</span>
      <input
        className={`${css.input} ${value === '' ? '' : css.isUsed}`}
        value={typed}
        title={typed}
        placeholder="Any"
        list={list}
        onChange={({ target }) => {
          setTyped(target.value)
          // One that was picked from the list needs no further word.
          if (names.includes(target.value)) confirm(target.value)
        }}
        onBlur={() => {
          confirm(typed)
          isMore.current = false
        }}
        onKeyDown={({ key }) => key === 'Enter' && confirm(typed)}
      />
      <datalist id={list}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </label>
  )
}
