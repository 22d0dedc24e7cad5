import { hostname, userInfo } from 'node:os'
import { validate as isUuid } from 'uuid'
import type { Config } from '../config/resolve.js'
import { openEmbedded } from '../embedded/postgres.js'
import type { CancelAnswer } from '../job/job.js'
import { createPrismaStore } from '../store/prisma.js'
import type { Store } from '../store/store.js'
import { type CommonFlags, readConfigOrDefaults } from './open.js'

export interface CancelFlags extends CommonFlags {
  readonly reason?: string
  readonly by?: string
}

const log = {
  info: () => {},
  warn: (message: string) => void process.stderr.write(`${message}\n`),
}

/** `celeriac cancel <id…>`: says of each job what came of it. Needs the store alone, neither tasks nor broker. */
export async function runCancel(ids: readonly string[], flags: CancelFlags): Promise<void> {
  const config = await readConfigOrDefaults(flags)
  const by = flags.by ?? currentUser()
  const answers = await withStore(config, async (store) => {
    const answers: CancelAnswer[] = []
    for (const id of ids) {
      const answer = isUuid(id) ? await store.cancel(id, by, flags.reason ?? null) : 'unknown'
      process.stdout.write(`${id} ${told[answer]}\n`)
      answers.push(answer)
    }
    return answers
  })
  process.exitCode = Math.max(...answers.map((answer) => exitCodes[answer]))
}

const told: Readonly<Record<CancelAnswer, string>> = {
  cancelled: 'cancelled: it will never start',
  cancelling: 'cancelling: it runs, and has been asked to stop',
  finished: 'finished: it had ended before',
  unknown: 'unknown: there is no such job',
}

/** 1 is for everything that went wrong. Of several jobs, the highest counts. */
const exitCodes: Readonly<Record<CancelAnswer, number>> = {
  cancelled: 0,
  cancelling: 0,
  finished: 3,
  unknown: 4,
}

async function withStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  const embedded =
    config.store.kind === 'embedded' ? await openEmbedded({ root: config.root, log }) : undefined
  const urls =
    config.store.kind === 'postgres'
      ? config.store
      : { url: embedded?.url ?? '', directUrl: embedded?.url ?? '' }
  const { url, directUrl } = urls
  const store = createPrismaStore({ url, directUrl, deadlineMs: config.deadlineMs, log })
  try {
    await store.assertMigrated()
    return await work(store)
  } finally {
    await store.close()
    await embedded?.close()
  }
}

/** Containers may run under a number that has no name. */
function currentUser(): string {
  return `${userName()}@${hostname()}`
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
