import type { Command, CommandQuery } from './control-store.js'
import type { OperationStanding, OutcomeCounts } from './operation-store.js'
import { standing } from './operations.js'

/** Who asked for what, as lists of it are read. @param query gives rows, within the deadline */
export function createCommandList(
  query: <Row extends object>(text: string, values?: readonly unknown[]) => Promise<Row[]>,
) {
  return {
    async commands({ limit, before, verb, by, from, since, changesOnly }: CommandQuery): Promise<Command[]> {
      const asked = [limit, before ?? null, verb ?? null, by ?? null, from ?? null, since ?? null]
      return (await query<Row>(listSql(changesOnly ?? false), asked)).map(toCommand)
    },
    async command(id: string): Promise<Command | undefined> {
      return (await query<Row>(`${columns} WHERE c.id = $1`, [id])).map(toCommand)[0]
    },
  }
}

const columns = `
SELECT c.id, c.verb, c.args, c.workers, c.asked_by AS "askedBy", c.asked_from AS "askedFrom", c.asked_at AS "askedAt",
  c.expires_at AS "expiresAt", c.outcome,
  coalesce(c.affected, o.affected, nullif(cardinality(c.workers), 0)) AS "total",
  o.id IS NOT NULL AS "isOperation", ${standing}
FROM celeriac.command c LEFT JOIN celeriac.operation o ON o.id = c.id`

/** What is not asked for is left out by the planner: it knows the values. The first bound makes the walk begin there. */
const listSql = (changesOnly: boolean) => `${columns}
WHERE ($2::uuid IS NULL OR (c.asked_at <= (SELECT asked_at FROM celeriac.command WHERE id = $2)
    AND (c.asked_at, c.id) < (SELECT asked_at, id FROM celeriac.command WHERE id = $2)))
  AND ($3::text IS NULL OR c.verb = $3) AND ($4::text IS NULL OR c.asked_by = $4)
  AND ($5::text IS NULL OR c.asked_from = $5 OR starts_with(c.asked_from, $5 || ' '))
  AND ($6::timestamptz IS NULL OR c.asked_at >= $6) ${changesOnly ? 'AND NOT c.is_question' : ''}
ORDER BY c.asked_at DESC, c.id DESC LIMIT $1`

interface Row extends Omit<Command, 'affected' | 'operation'>, Omit<OperationStanding, 'counts'> {
  readonly total: number | null
  readonly isOperation: boolean
  /** JSON text. */
  readonly counts: string
}

function toCommand(row: Row): Command {
  const {
    id,
    verb,
    args,
    workers,
    askedBy,
    askedFrom,
    askedAt,
    expiresAt,
    outcome,
    total,
    isOperation,
    ...rest
  } = row
  return {
    ...{ id, verb, args, workers, askedBy, askedFrom, askedAt, expiresAt, outcome },
    affected: total,
    operation: isOperation ? { ...rest, counts: JSON.parse(rest.counts) as OutcomeCounts } : null,
  }
}
