import type { Calls } from './contender/answer.js'
import type { Operations as Celeriac, CeleriacSettings } from './contender/celeriac.js'
import type { Operations as Glue } from './contender/glue.js'
import type { Operations as Raw } from './contender/raw.js'
import { type Contender, type Profiled, startContender } from './contender.js'
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

export async function twoServers(servers: Servers): Promise<CeleriacSettings> {
  return { redisUrl: servers.newRedis(), databaseUrl: await servers.newDatabase() }
}

export async function embeddedDefault(servers: Servers): Promise<CeleriacSettings> {
  const { root, url } = await servers.embedded()
  return { root, databaseUrl: url }
}

/** Profiles what follows, in each contender, when that was asked for. */
export async function profiled<T>(
  contenders: { readonly [Name in string]: Profiled },
  part: string,
  isAsked: boolean,
  measure: (onWarm: () => Promise<void>) => Promise<T>,
): Promise<T> {
  if (!isAsked) return measure(async () => {})
  const all = Object.entries(contenders)
  const measured = await measure(async () => {
    for (const [, contender] of all) await contender.startProfile()
  })
  for (const [name, contender] of all) await contender.stopProfile(`${part}-${name}`)
  return measured
}
