import pg from 'pg'

/** Who did it: the job and the attempt that its handler was told of. */
export interface Doer {
  readonly id: string
  readonly attempt: number
}

const pool = new pg.Pool({ connectionString: process.env.FAULTS_EFFECTS, max: 4 })
pool.on('error', () => {})

/**
 * Says what a handler really did, in a table of the test's own. It stands on a server that no fault touches, and every
 * line is committed before the handler goes on.
 */
export async function note(
  kind: 'start' | 'finish',
  key: string,
  { id, attempt }: Doer,
  ok?: boolean,
): Promise<void> {
  await pool.query({
    name: 'note',
    text: 'INSERT INTO effect (kind, id, attempt, pid, key, ok) VALUES ($1, $2, $3, $4, $5, $6)',
    values: [kind, id, attempt, process.pid, key, ok ?? null],
  })
}
