import { useMemo } from 'react'
import type { TaskPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useSearch } from '../../api/use-search.js'
import { Card } from '../../ui/card.js'
import { Choice } from '../../ui/choice.js'
import { Empty } from '../../ui/empty.js'
import { JsonView } from '../../ui/json.js'
import { Badge } from '../../ui/state.js'
import { type Column, Table } from '../../ui/table.js'
import { None } from '../../ui/time.js'
import { type SchemaRow, schemaRows } from './schema-rows.js'
import css from './tasks.module.css'

/** What a payload must be: as a table, or as JSON Schema. */
export function SchemaCard({ schema: { jsonSchema, library, note } }: Pick<Json<TaskPage>, 'schema'>) {
  const search = useSearch()
  const rows = useMemo(() => (jsonSchema ? schemaRows(jsonSchema) : []), [jsonSchema])
  const isRaw = search.get('schema') === 'json'
  return (
    <Card
      title="Payload"
      {...(library === null
        ? {}
        : { note: `Checked by ${library}, at enqueue and again before each attempt.` })}
      {...(jsonSchema
        ? {
            aside: (
              <Choice
                label="Schema"
                value={isRaw ? 'json' : 'table'}
                options={[
                  { value: 'table', label: 'Fields' },
                  { value: 'json', label: 'JSON Schema' },
                ]}
                onChange={(next) => search.set({ schema: next === 'json' ? next : undefined })}
              />
            ),
          }
        : {})}
      isFlush={!isRaw || !jsonSchema}
    >
      {!jsonSchema ? (
        <Empty title={note ?? 'The task checks no payload.'}>
          With a schema of zod, valibot or arktype a wrong payload is an error at enqueue, and this page shows
          its fields:
          <pre>{'defineTask({ payload: z.object({ to: z.email() }), run: … })'}</pre>
        </Empty>
      ) : isRaw ? (
        <JsonView label="JSON Schema" value={jsonSchema} />
      ) : (
        <Table
          label="Fields of the payload"
          rows={rows}
          columns={columns}
          idOf={({ path }) => path}
          empty={<Empty title="The payload has no fields." />}
        />
      )}
    </Card>
  )
}

const columns: readonly Column<SchemaRow>[] = [
  {
    id: 'path',
    title: 'Field',
    narrow: 'title',
    cell: ({ path }) => <code className={css.path}>{path === '' ? 'payload' : path}</code>,
  },
  {
    id: 'type',
    title: 'Type',
    cell: ({ type, isNullable }) => `${type}${isNullable ? ' or null' : ''}`,
  },
  {
    id: 'required',
    title: 'Required',
    cell: ({ isRequired }) => (isRequired ? <Badge tone="accent">required</Badge> : 'optional'),
  },
  {
    id: 'default',
    title: 'Default',
    cell: ({ standard }) =>
      standard === undefined ? <None /> : <code className={css.path}>{standard}</code>,
  },
  {
    id: 'constraints',
    title: 'Must be',
    cell: ({ constraints }) =>
      constraints === '' ? <None /> : <span className={css.about}>{constraints}</span>,
  },
  {
    id: 'about',
    title: 'About',
    narrow: 'hidden',
    cell: ({ about }) => (about === '' ? <None /> : <span className={css.about}>{about}</span>),
  },
]
