import type { Runner } from './contender/runner.js'
import type { Web } from './contender/web.js'
import { type Contender, startContender } from './contender.js'
import { embeddedDefault, names, twoServers } from './lanes.js'
import type { Servers } from './servers.js'

/** A web process and worker processes of one contender, with databases of their own. */
export interface Crew {
  readonly name: string
  readonly web: Contender<Web>
  readonly workers: readonly Contender<Runner>[]
}

/** Starts the processes of each contender, lets them be used, and ends them. */
export async function withCrews<T>(
  servers: Servers,
  workersEach: number,
  use: (crews: readonly Crew[]) => Promise<T>,
): Promise<T> {
  const places = [
    { name: names.raw, kind: 'raw', settings: { redisUrl: servers.newRedis() } },
    { name: names.onRedis, kind: 'celeriac', settings: await twoServers(servers) },
    { name: names.onEmbedded, kind: 'celeriac', settings: await embeddedDefault(servers) },
  ]
  const crews: Crew[] = []
  try {
    for (const { name, kind, settings } of places) {
      const web = await startContender<Web>(`web-${kind}`, settings)
      const workers: Contender<Runner>[] = []
      crews.push({ name, web, workers })
      for (let count = 0; count < workersEach; count += 1)
        workers.push(await startContender<Runner>(`worker-${kind}`, settings))
    }
    return await use(crews)
  } finally {
    await Promise.all(
      crews.flatMap(({ web, workers }) => [web.close(), ...workers.map((each) => each.close())]),
    )
  }
}
