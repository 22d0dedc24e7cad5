/**
 * What moves jobs. The broker holds no truth: a delivery only says that some worker should look at a job's row now, so
 * a lost, doubled or late delivery is harmless. Its implementations stand beside this file, and one contract suite
 * (`test/contract/broker.test.ts`) runs against each.
 */
export interface Broker {
  /** For banners, health and logs. */
  readonly kind: 'redis' | 'postgres' | 'memory'
  /** The address without secrets. */
  readonly address: string

  /**
   * Hands deliveries over, in bulk. One that the broker holds already is ignored.
   * @throws {BrokerUnavailableError} within `deadlineMs`; some of the deliveries may have arrived
   */
  dispatch(deliveries: readonly Delivery[]): Promise<void>

  /**
   * Opens an intake for one queue; it takes nothing before its first `setLimit`. It reconnects by itself, and waits for
   * a server that is not there yet.
   */
  take(queue: string, taker: Taker): Intake

  /** Deliveries that the broker holds. */
  counts(queue: string): Promise<DeliveryCounts>

  /** @throws {BrokerUnavailableError} when it does not answer within `deadlineMs` */
  ping(): Promise<void>

  /** What there is to know of the server, as far as it tells. Nothing is counted that is not counted already. */
  facts(): Promise<BrokerFacts>

  /** What `writeMark` left last, and which run of the server answers. */
  readMark(): Promise<BrokerMark>

  /**
   * Leaves a mark among the deliveries' own data, so that what loses deliveries loses or ages the mark as well. `made`:
   * there was none.
   */
  writeMark(value: string): Promise<'renewed' | 'made'>

  /** Idempotent. Intakes must be closed first. Leaves connections alone that the caller gave. */
  close(): Promise<void>
}

/** One message: look at this job. Its id in the broker is `<jobId>.<number>`. */
export interface Delivery {
  readonly jobId: string
  /** The job's delivery number when it was sent. */
  readonly number: number
  readonly task: string
  readonly queue: string
  /** 0 first; larger waits longer. */
  readonly priority?: number
  /** Not before this many milliseconds from now. */
  readonly delayMs?: number
  /** Ahead of everything that waits. Used for what was given back. */
  readonly ahead?: boolean
}

/** What an intake brings to the worker. */
export interface TakenDelivery {
  readonly jobId: string
  readonly number: number
  readonly task: string
}

export interface Taker {
  /**
   * Looks at one delivery. The broker keeps it until the answer: `done` acknowledges it, `return` puts it back ahead
   * of everything that waits. It may take as long as the store is away; a rejection counts as `return`.
   */
  onDelivery(delivery: TakenDelivery): Promise<'done' | 'return'>
}

export interface Intake {
  readonly queue: string
  /** How many deliveries `onDelivery` may hold at once. 0 stops the taking; one already on its way may still come. */
  setLimit(limit: number): void
  /** Stops taking, and waits until no delivery is held. */
  close(): Promise<void>
}

export interface DeliveryCounts {
  readonly waiting: number
  readonly delayed: number
  /** Handed out and not acknowledged. */
  readonly taken: number
}

export interface BrokerMark {
  /** `undefined` when there is none: it was never written, or the broker was wiped. */
  readonly value: string | undefined
  /** Another one after each start of the server, and on another server. */
  readonly instance: string
}

export type BrokerFacts = RedisBrokerFacts | PostgresBrokerFacts | MemoryBrokerFacts

interface ServedBy<Kind extends Broker['kind']> {
  readonly kind: Kind
  /** Without secrets. */
  readonly address: string
}

export interface MemoryBrokerFacts extends ServedBy<'memory'> {}

/** What a server does not tell, as many hosted ones, is `null`. Of a cluster: of all its masters. */
export interface RedisBrokerFacts extends ServedBy<'redis'> {
  /** As `7.0.15`. */
  readonly version: string | null
  /** Since its start. */
  readonly upMs: number | null
  /** It takes no writes. */
  readonly isReplica: boolean | null
  readonly usedBytes: number | null
  /** The most that it has used since its start. */
  readonly peakBytes: number | null
  /** That it may use. 0: as much as there is. */
  readonly mostBytes: number | null
  /** What it does when it is full. Only `noeviction` is safe. */
  readonly evictionPolicy: string | null
  /** Since its start. */
  readonly evictedKeys: number | null
  readonly clients: number | null
  readonly mostClients: number | null
  /** It writes each change to a file: what waits is there after a restart. */
  readonly appendsToFile: boolean | null
  readonly takesSnapshots: boolean | null
  readonly lastSnapshotAt: Date | null
  readonly hasSnapshotFailed: boolean | null
  readonly commandsPerSecond: number | null
  /** In the database that is used, whoever wrote them. */
  readonly keys: number | null
}

export interface PostgresBrokerFacts extends ServedBy<'postgres'> {
  readonly version: string
  readonly upMs: number
  /** Of the broker's tables, without their indexes. */
  readonly bytes: number
  readonly indexBytes: number
  /** By the server's statistics. */
  readonly rows: number
  readonly deadRows: number
  /** To the server, whoever holds them. */
  readonly connections: number
  readonly mostConnections: number
  /** Of brokers of Celeriac, those of all processes. */
  readonly ownConnections: number
}
