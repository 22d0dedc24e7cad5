import { TransactionError } from '../../errors.js'
import type { SqlClient } from '../../job/transaction.js'
import type { NewJob } from '../store.js'
import type { UniqueCall, UniqueEntry, View } from './insert.js'
import { idempotencyOf, type Row } from './row.js'

/** A transaction of a store in memory. It has no SQL: only jobs are written and completed in it. */
export interface MemoryTransaction extends SqlClient {
  /** What it wrote appears. @throws {TransactionError} when it has ended */
  commit(): void
  /** What it wrote vanishes. Idempotent. */
  rollback(): void
  /** The ids of the jobs that it wrote. */
  written(): string[]
}

/** The store's side of it: what it sees, and what its commit does. */
export class OpenTransaction implements MemoryTransaction, View {
  /** Resolves when it was committed or rolled back. */
  readonly ended: Promise<void>
  readonly #below: View
  readonly #added: Row[] = []
  readonly #rows = new Map<string, Row>()
  readonly #unique = new Map<string, UniqueEntry>()
  readonly #calls = new Map<string, UniqueCall>()
  readonly #atCommit: (() => void)[] = []
  #isOpen = true
  #end: () => void = () => {}

  constructor(below: View) {
    this.#below = below
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  now(): Date {
    return this.#below.now()
  }

  row(id: string): Row | undefined {
    return this.#rows.get(id) ?? this.#below.row(id)
  }

  holderOf(job: NewJob): Row | undefined {
    const key = idempotencyOf(job)
    return (
      this.#added.find((row) => idempotencyOf(row) === key && key !== undefined) ?? this.#below.holderOf(job)
    )
  }

  unique(key: string): UniqueEntry | undefined {
    return this.#unique.get(key) ?? this.#below.unique(key)
  }

  call(key: string): UniqueCall | undefined {
    return this.#calls.get(key) ?? this.#below.call(key)
  }

  add(row: Row): void {
    this.#added.push(row)
    this.#rows.set(row.id, row)
    this.atCommit(() => this.#below.add(row))
  }

  change(row: Row, changes: Partial<Row>): Row {
    const changed = { ...row, ...changes }
    this.#rows.set(row.id, changed)
    if (this.#added.includes(row)) Object.assign(row, changes)
    else
      this.atCommit(() => {
        const below = this.#below.row(row.id)
        if (below) this.#below.change(below, changes)
      })
    return changed
  }

  setUnique(key: string, entry: UniqueEntry): void {
    this.#unique.set(key, entry)
    this.atCommit(() => this.#below.setUnique(key, entry))
  }

  setCall(key: string, call: UniqueCall): void {
    this.#calls.set(key, call)
    this.atCommit(() => this.#below.setCall(key, call))
  }

  /** Whether another transaction that wants this key must wait for this one. */
  locks(key: string): boolean {
    return this.#unique.has(key) || this.#added.some((row) => idempotencyOf(row) === key)
  }

  /** Done when it commits, and not otherwise. */
  atCommit(work: () => void): void {
    if (!this.#isOpen) throw hasEnded()
    this.#atCommit.push(work)
  }

  written(): string[] {
    return this.#added.map(({ id }) => id)
  }

  commit(): void {
    if (!this.#isOpen) throw hasEnded()
    for (const work of this.#atCommit) work()
    this.rollback()
  }

  rollback(): void {
    this.#isOpen = false
    this.#end()
  }

  async query(): Promise<never> {
    throw new TransactionError(
      'A transaction of the test kit has no SQL: it writes and completes jobs only. Use a real database for the rest.',
    )
  }
}

function hasEnded(): TransactionError {
  return new TransactionError('This transaction of the test kit has ended.')
}
