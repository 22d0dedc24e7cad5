import type { Calls } from './contender/answer.js'
import type { Operations as Celeriac } from './contender/celeriac.js'
import type { Operations as Glue } from './contender/glue.js'
import type { Place } from './contender/place.js'
import type { Operations as Raw } from './contender/raw.js'
import { type Contender, startContender } from './contender.js'
import type { Servers } from './servers.js'

/** The contenders of a part, each in a process and with databases of its own. */
export interface Contenders {
  readonly raw: Contender<Raw>
  readonly glue: Contender<Glue>
  readonly onRedis: Contender<Celeriac>
  readonly onEmbedded: Contender<Celeriac>
}

/** What the lanes are called in the report. */
export const names = {
  raw: 'raw BullMQ',
  glue: 'hand-written glue',
  onRedis: 'Celeriac, Redis',
  onEmbedded: 'Celeriac, embedded',
  onPostgres: 'Celeriac, PostgreSQL alone',
} as const

/** Starts them, lets them be used, and ends them. */
export async function withContenders<T>(
  servers: Servers,
  use: (contenders: Contenders) => Promise<T>,
): Promise<T> {
  const started: { close(): Promise<void> }[] = []
  async function begin<Operations extends Calls>(
    program: string,
    settings: object,
  ): Promise<Contender<Operations>> {
    const contender = await startContender<Operations>(program, settings)
    started.push(contender)
    return contender
  }
  try {
    return await use({
      raw: await begin<Raw>('raw', { redisUrl: servers.newRedis() }),
      glue: await begin<Glue>('glue', {
        redisUrl: servers.newRedis(),
        databaseUrl: await servers.newDatabase(),
      }),
      onRedis: await begin<Celeriac>('celeriac', await twoServers(servers)),
      onEmbedded: await begin<Celeriac>('celeriac', await embeddedDefault(servers)),
    })
  } finally {
    await Promise.all(started.map((contender) => contender.close()))
  }
}

export async function twoServers(servers: Servers): Promise<Place> {
  return { redisUrl: servers.newRedis(), databaseUrl: await servers.newDatabase() }
}

export async function embeddedDefault(servers: Servers): Promise<Place & { readonly root: string }> {
  const { root, url } = await servers.embedded()
  return { root, databaseUrl: url }
}
