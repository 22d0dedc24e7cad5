import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { makePostgresTemplate, startPostgresServer } from './postgres.js'
import { startRedisServer } from './redis.js'
import { removeScratch, scratchFolder, sweepScratch } from './scratch.js'
import { makeTables } from './tables.js'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
    postgresTemplate: string
    redisUrl: string
    /** A folder of this run, for what several test files share. */
    runFolder: string
  }
}

/** Starts the one PostgreSQL and the one Redis that all test files share, on free ports. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // As in an app: to the processes that tests start, "celeriac" is the built package, and there is one of it.
  process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL('../fixtures/tsconfig.json', import.meta.url))
  sweepScratch()
  process.once('SIGTERM', () => process.exit(143))
  try {
    const template = await makePostgresTemplate()
    const [postgres, redis] = await Promise.all([
      startPostgresServer({ template }),
      startRedisServer({ durable: false }),
    ])
    await makeTables(postgres.url)
    project.provide('runFolder', scratchFolder())
    project.provide('postgresUrl', postgres.url)
    project.provide('postgresTemplate', template)
    project.provide('redisUrl', redis.url)
    return async () => {
      await Promise.all([postgres.stop(), redis.stop()])
      removeScratch()
      sweepScratch()
    }
  } catch (error) {
    removeScratch()
    throw error
  }
}
