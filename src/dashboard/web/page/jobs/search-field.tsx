import { useEffect, useState } from 'react'
import { parseQuery } from '../../../../job/query/parse.js'
import { Button } from '../../ui/button.js'
import { QueryFault } from './query-fault.js'
import { QueryHelp } from './query-help.js'
import { QueryInput } from './query-input.js'
import css from './search-field.module.css'

interface SearchFieldProps {
  readonly query: string
  onSearch(query: string): void
}

/** The written query: completed as one types, and held to the language before it is asked. */
export function SearchField({ query, onSearch }: SearchFieldProps) {
  const [typed, setTyped] = useState(query)
  const [isChecked, setChecked] = useState(true)
  useEffect(() => setTyped(query), [query])
  const parsed = parseQuery(typed)
  const fault = 'fault' in parsed ? parsed.fault : undefined
  const search = (text: string) => {
    setTyped(text)
    setChecked(true)
    if ('tree' in parseQuery(text)) onSearch(text.trim())
  }
  return (
    <search>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault()
          search(typed)
        }}
      >
        <QueryInput
          value={typed}
          isWrong={isChecked && fault !== undefined}
          faultId="query-fault"
          onChange={(text) => {
            setTyped(text)
            // What is half written is no mistake yet.
            setChecked(false)
          }}
          onLeave={() => setChecked(true)}
          onClear={() => search('')}
        />
        <Button type="submit">Search</Button>
        <QueryHelp onPick={(example) => search(example)} />
      </form>
      {isChecked && fault && <QueryFault id="query-fault" text={typed} fault={fault} />}
    </search>
  )
}
