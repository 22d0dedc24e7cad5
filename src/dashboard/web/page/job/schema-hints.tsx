import { useMemo } from 'react'
import type { Schema } from '../tasks/schema.js'
import { schemaRows } from '../tasks/schema-rows.js'
import css from './schema-hints.module.css'

/** What a payload must be, short enough to stand beside an editor. */
export function SchemaHints({ schema }: { readonly schema: Schema }) {
  const rows = useMemo(() => schemaRows(schema), [schema])
  if (rows.length === 0) return null
  return (
    <div className={css.hints}>
      <h3>What the task takes</h3>
      <ul>
        {rows.map(({ path, type, isRequired, isNullable, standard, constraints, about }) => (
          <li key={path} className={css.field}>
            <code className={css.path}>{path === '' ? 'payload' : path}</code>{' '}
            <span>
              {type}
              {isNullable && ' or null'}
              {isRequired ? ', required' : standard === undefined ? '' : `, else ${standard}`}
            </span>
            {constraints !== '' && <span className={css.about}>{constraints}</span>}
            {about !== '' && <span className={css.about}>{about}</span>}
          </li>
        ))}
      </ul>
    </div>
  )
}
