import { type KeyboardEvent, type RefObject, useEffect, useId, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { useApi } from '../api/use-api.js'
import { type Found, find } from './find.js'
import { places } from './places.js'
import css from './quick-find.module.css'

const kinds: Readonly<Record<Found['kind'], string>> = {
  page: 'Page',
  job: 'Job',
  task: 'Task',
  queue: 'Queue',
  worker: 'Worker',
  search: 'Jobs that match',
}

interface QuickFindProps {
  readonly isInSheet?: boolean
  /** Told also when one goes to where one is already. */
  onGo?(): void
}

const noNames = { tasks: [], queues: [], workers: [] }

/** The way to a job by its id, to what has a name, or to the jobs that match. `/` leads here from anywhere. In a sheet Escape is the sheet's. */
export function QuickFind({ isInSheet = false, onGo }: QuickFindProps) {
  const field = useRef<HTMLInputElement>(null)
  const id = useId()
  const [text, setText] = useState('')
  const [isOpen, setOpen] = useState(false)
  const [at, setAt] = useState(0)
  const [, navigate] = useLocation()
  const names = useApi('GET /vocabulary', isOpen ? {} : undefined).data ?? noNames
  const found = isOpen ? find(text, names, places) : []
  useSlash(field)

  const go = (to: string) => {
    setText('')
    setOpen(false)
    field.current?.blur()
    navigate(to)
    onGo?.()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = steps[event.key]
    if (step !== undefined && found.length > 0) setAt((at + step + found.length) % found.length)
    else if (event.key === 'Enter') found[at] && go(found[at].to)
    else if (event.key === 'Escape' && (text !== '' || !isInSheet)) leave()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const leave = () => {
    if (text === '') field.current?.blur()
    setText('')
  }

  return (
    <search className={css.find}>
      <input
        ref={field}
        className={css.field}
        role="combobox"
        aria-label="Find a job, task, queue or worker"
        aria-autocomplete="list"
        aria-expanded={found.length > 0}
        aria-controls={id}
        aria-activedescendant={found.length > 0 ? `${id}-${at}` : undefined}
        placeholder="Find…"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <span className={css.key} aria-hidden="true">
        /
      </span>
      <div id={id} className={css.list} role="listbox" aria-label="Found" hidden={found.length === 0}>
        {found.map(({ kind, name, to }, number) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are heard by the field, which keeps the focus
          <div
            key={`${kind} ${to}`}
            id={`${id}-${number}`}
            role="option"
            tabIndex={-1}
            aria-selected={number === at}
            className={css.option}
            onPointerMove={() => setAt(number)}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => go(to)}
          >
            <span className={css.kind}>{kinds[kind]}</span>
            <span className={css.name}>{name}</span>
          </div>
        ))}
      </div>
    </search>
  )
}

const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 }

function useSlash(field: RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return
      event.preventDefault()
      field.current?.focus()
      field.current?.select()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [field])
}

/** A slash is a letter where one writes; and what a dialog is about comes first. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || target.closest('input, textarea, select, [role=dialog]') !== null
}
