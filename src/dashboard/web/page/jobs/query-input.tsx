import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { completeQuery, type QueryCompletion } from '../../../../job/query/complete.js'
import { useApi } from '../../api/use-api.js'
import css from './query-input.module.css'

interface QueryInputProps {
  readonly value: string
  readonly isWrong: boolean
  /** Of what says what is wrong. */
  readonly faultId: string
  onChange(value: string): void
  onLeave(): void
  /** Nothing is to be searched for any more. */
  onClear(): void
}

const noNames = { tasks: [], queues: [], workers: [], tags: [], owners: [], errors: [] }

/**
 * A line for a query, with what may stand at the caret below it. Arrows choose, Tab and Enter take what is chosen, Escape
 * closes; without a choice, Enter searches. (The pattern "editable combobox with list autocomplete" of ARIA.)
 */
export function QueryInput({ value, isWrong, faultId, onChange, onLeave, onClear }: QueryInputProps) {
  const { data: names } = useApi('GET /vocabulary', {})
  const input = useRef<HTMLInputElement>(null)
  const [caret, setCaret] = useState(0)
  const [isOpen, setOpen] = useState(false)
  const [chosen, setChosen] = useState(-1)
  const id = useId()
  const offers = isOpen ? completeQuery(value, caret, names ?? noNames) : []
  const isShown = offers.length > 0

  const take = ({ text, from, to, kind }: QueryCompletion) => {
    const isWhole = kind === 'value' || kind === 'word'
    const placed = isWhole && to === value.length ? `${text} ` : text
    const place = from + placed.length
    onChange(value.slice(0, from) + placed + value.slice(to))
    setCaret(place)
    setChosen(-1)
    // After the value has come into the field, or the caret would go to its end.
    requestAnimationFrame(() => input.current?.setSelectionRange(place, place))
  }

  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    const offer = offers[chosen]
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setOpen(true)
      const step = event.key === 'ArrowDown' ? 1 : -1
      if (isShown) setChosen(wrapped(chosen + step, offers.length))
    } else if ((event.key === 'Enter' || event.key === 'Tab') && offer && !event.shiftKey) {
      event.preventDefault()
      take(offer)
    } else if (event.key === 'Escape' && isShown) {
      event.preventDefault()
      setOpen(false)
      setChosen(-1)
    } else if (event.key === 'Enter') setOpen(false)
  }

  return (
    <div className={css.frame}>
      <input
        ref={input}
        className={css.input}
        value={value}
        role="combobox"
        aria-label="Search jobs"
        aria-expanded={isShown}
        aria-controls={`${id}-offers`}
        aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 && isShown ? `${id}-${chosen}` : undefined}
        aria-invalid={isWrong || undefined}
        aria-describedby={isWrong ? faultId : undefined}
        placeholder='state:failed task:mail.* "timed out"'
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        maxLength={longest}
        onChange={({ target }) => {
          onChange(target.value)
          setCaret(target.selectionStart ?? target.value.length)
          setOpen(true)
          setChosen(-1)
        }}
        onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart ?? 0)}
        onKeyDown={press}
        onBlur={() => {
          setOpen(false)
          onLeave()
        }}
      />
      {value !== '' && (
        <button type="button" className={css.clear} aria-label="Clear the search" onClick={onClear}>
          ×
        </button>
      )}
      {isShown && (
        <div id={`${id}-offers`} className={css.offers} role="listbox" aria-label="What may stand here">
          {offers.map((offer, at) => (
            <Offer
              key={`${offer.kind} ${offer.text}`}
              id={`${id}-${at}`}
              offer={offer}
              isChosen={at === chosen}
              onTake={() => take(offer)}
            />
          ))}
        </div>
      )}
    </div>
  )
}

const longest = 2000

function wrapped(at: number, length: number): number {
  return at < -1 ? length - 1 : at >= length ? -1 : at
}

interface OfferProps {
  readonly id: string
  readonly offer: QueryCompletion
  readonly isChosen: boolean
  onTake(): void
}

function Offer({ id, offer, isChosen, onTake }: OfferProps) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (isChosen) place.current?.scrollIntoView({ block: 'nearest' })
  }, [isChosen])
  return (
    // The focus stays in the field, where keys are heard.
    <div
      ref={place}
      id={id}
      className={css.offer}
      role="option"
      tabIndex={-1}
      aria-selected={isChosen}
      onPointerDown={(event) => {
        event.preventDefault()
        onTake()
      }}
    >
      <code className={css.text}>{offer.text}</code>
      <span className={css.about}>{offer.about}</span>
    </div>
  )
}
