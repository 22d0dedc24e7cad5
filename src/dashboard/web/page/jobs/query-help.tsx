import { useState } from 'react'
import { describeFields } from '../../../../job/query/fields.js'
import { Button } from '../../ui/button.js'
import { Dialog } from '../../ui/dialog.js'
import css from './query-help.module.css'

interface QueryHelpProps {
  /** Searches by an example. */
  onPick(example: string): void
}

const examples: readonly (readonly [query: string, means: string])[] = [
  ['state:failed task:mail.*', 'Failed jobs of tasks that begin with mail.'],
  ['"timed out"', 'With this text in payload, result or error'],
  ['error.name:TypeError -tag:test', 'Failed by a TypeError, without the tag test'],
  ['payload.customer.id:42', 'With this value at that place of the payload'],
  ['duration>30s or attempts>=3', 'Slow ones, and those that took several attempts'],
  ['state:ended created>7d (queue:mail or queue:slow)', 'Ended, of the last seven days, of two queues'],
]

/** The query language on one page. */
export function QueryHelp({ onPick }: QueryHelpProps) {
  const [isOpen, setOpen] = useState(false)
  const pick = (example: string) => {
    setOpen(false)
    onPick(example)
  }
  return (
    <>
      <Button aria-label="How to search" title="How to search" onClick={() => setOpen(true)}>
        ?
      </Button>
      <Dialog title="How to search" isOpen={isOpen} isWide onClose={() => setOpen(false)}>
        <p>
          Terms beside each other must all hold. <code>or</code>, <code>not</code> (or <code>-</code> before a
          term) and parentheses join them; <code>*</code> in a name is any text; quotes hold together what has
          spaces.
        </p>
        <ul className={css.examples}>
          {examples.map(([query, means]) => (
            <li key={query}>
              <Example query={query} onPick={pick} /> <span className={css.means}>{means}</span>
            </li>
          ))}
        </ul>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which must be possible by keyboard as well */}
        <section className={css.frame} tabIndex={0} aria-label="Fields">
          <table className={css.fields}>
            <thead>
              <tr>
                <th scope="col">Field</th>
                <th scope="col">What it is</th>
                <th scope="col">For example</th>
              </tr>
            </thead>
            <tbody>
              {describeFields().map(({ name, aliases, about, examples: own }) => (
                <tr key={name}>
                  <th scope="row">
                    <code>{name}</code>
                    {aliases.length > 0 && <span className={css.aliases}>or {aliases.join(', ')}</span>}
                  </th>
                  <td>{about}</td>
                  <td>
                    {own.map((example) => (
                      <Example key={example} query={example} onPick={pick} />
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <div className={css.buttons}>
          <Button onClick={() => setOpen(false)}>Close</Button>
        </div>
      </Dialog>
    </>
  )
}

function Example({ query, onPick }: { readonly query: string; onPick(query: string): void }) {
  return (
    <button type="button" className={css.example} title="Search by this" onClick={() => onPick(query)}>
      {query}
    </button>
  )
}
