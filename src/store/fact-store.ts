/** What there is to know of the store itself, while it serves. */
export interface FactStore {
  /** Of the server and its tables. What the server does not tell is `null`. */
  facts(): Promise<StoreFacts>
  /** What maintenance did, by pass. */
  passes(): Promise<PassFacts[]>
}

export interface StoreFacts {
  readonly kind: 'postgres' | 'memory'
  /** Without secrets. */
  readonly address: string
  /** As `18.4`. */
  readonly version: string | null
  /** Since the server's start. */
  readonly upMs: number
  /** The whole database, with what else is in it. */
  readonly databaseBytes: number | null
  /** Part of the pages that were read and stood in memory already, since the server counts. */
  readonly cacheHitRate: number | null
  readonly connections: ConnectionFacts | null
  /** The transaction that has been open for the longest time: what it could see, no vacuum removes. */
  readonly oldestTransaction: OpenTransactionFacts | null
  readonly replication: ReplicationFacts | null
  /** Of Celeriac, the largest first; `null`: they could not be measured now, for one is being changed. */
  readonly tables: readonly TableFacts[] | null
}

export interface ConnectionFacts {
  /** To the server, whoever holds them. */
  readonly open: number
  /** That the server takes, those that it keeps for administrators not counted. */
  readonly most: number
  /** To this database, by the name that the application gave: those of Celeriac begin with `celeriac`. */
  readonly byName: readonly { readonly name: string; readonly open: number }[]
}

export interface OpenTransactionFacts {
  readonly ms: number
  /** Of the application. */
  readonly name: string
}

export interface ReplicationFacts {
  /** It takes no writes. */
  readonly isReplica: boolean
  /** Servers that copy this one. */
  readonly replicas: readonly ReplicaFacts[]
}

export interface ReplicaFacts {
  readonly name: string
  /** As the server has it: `streaming`, `catchup`. */
  readonly state: string | null
  /** What it has not written yet. */
  readonly behindBytes: number | null
  readonly behindMs: number | null
}

export interface TableFacts {
  readonly name: string
  /** Without its indexes. */
  readonly bytes: number
  readonly indexBytes: number
  /** By the server's statistics: nobody counts. */
  readonly rows: number
  /** That a vacuum is to remove. */
  readonly deadRows: number
  /** By the server itself or by hand; `null`: never. */
  readonly vacuumedAt: Date | null
  readonly analyzedAt: Date | null
  /** The largest first. */
  readonly indexes: readonly { readonly name: string; readonly bytes: number }[]
}

export interface PassFacts {
  readonly name: string
  /** When a process last looked what there is to do, and did it. */
  readonly ranAt: Date
  /** Jobs, since the beginning. */
  readonly repaired: number
}
