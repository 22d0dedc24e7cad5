import type { PassFacts, StoreFacts } from '../fact-store.js'
import type { Table } from './table.js'

/** There is no server, so there is little to know of one. */
export function toFacts(table: Pick<Table, 'rows' | 'workers' | 'now'>, startedAt: Date): StoreFacts {
  return {
    ...{ kind: 'memory', address: 'memory', version: null },
    upMs: table.now().getTime() - startedAt.getTime(),
    ...{ databaseBytes: null, cacheHitRate: null, connections: null },
    ...{ oldestTransaction: null, replication: null },
    tables: [toTable('job', table.rows.size), toTable('worker', table.workers.size)],
  }
}

function toTable(name: string, rows: number) {
  return { name, rows, deadRows: 0, bytes: 0, indexBytes: 0, vacuumedAt: null, analyzedAt: null, indexes: [] }
}

export function toPasses(
  ran: readonly { readonly pass: string; readonly at: Date }[],
  repairs: readonly { readonly pass: string; readonly jobs: number }[],
): PassFacts[] {
  const repaired = new Map(repairs.map(({ pass, jobs }) => [pass, jobs]))
  return ran.map(({ pass, at }) => ({ name: pass, ranAt: at, repaired: repaired.get(pass) ?? 0 }))
}
