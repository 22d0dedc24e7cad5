import { useEffect, useState } from 'react'
import { parseQuery } from '../../../../job/query/parse.js'
import { Button } from '../../ui/button.js'
import css from './search-field.module.css'

interface SearchFieldProps {
  readonly query: string
  onSearch(query: string): void
}

/** The written query. It holds once it is confirmed. */
export function SearchField({ query, onSearch }: SearchFieldProps) {
  const [typed, setTyped] = useState(query)
  useEffect(() => setTyped(query), [query])
  const parsed = parseQuery(typed)
  const fault = 'fault' in parsed ? parsed.fault : undefined
  return (
    <search>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (!fault) onSearch(typed.trim())
        }}
      >
        <input
          className={css.input}
          type="search"
          aria-label="Search jobs"
          placeholder='state:failed task:mail.* "timed out"'
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
          aria-invalid={fault !== undefined}
        />
        <Button type="submit" disabled={fault !== undefined}>
          Search
        </Button>
        {fault && <p className={css.fault}>{fault.message}</p>}
      </form>
    </search>
  )
}
