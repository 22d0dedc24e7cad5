import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makePostgresTemplate } from '../support/postgres.js'
import { freezeCode } from './code.js'
import type { Outcome, Workshop } from './runner.js'

/** Opens what all runs of one command share. */
export async function openWorkshop(
  given: Pick<Workshop, 'seed' | 'console' | 'stopped' | 'share'>,
): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-faults-'))
  // PostgreSQL runs as another user, and must reach its data.
  chmodSync(folder, 0o755)
  const code = join(folder, 'code')
  await freezeCode(code)
  return { ...given, folder, code, template: await makePostgresTemplate() }
}

/** What was broken is kept, to be looked at. */
export function closeWorkshop({ folder }: Workshop, outcomes: readonly Outcome[]): void {
  if (outcomes.some(({ failure }) => failure !== undefined)) return
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
