import { startRedisServer } from '../../test/support/redis.js'
import type { TestServer } from '../../test/support/server.js'
import type { Operations as Load } from '../contender/load.js'
import type { Runner } from '../contender/runner.js'
import type { Operations as Web } from '../contender/web-celeriac.js'
import { type Contender, startContender } from '../contender.js'
import type { Finding } from '../finding.js'
import { names } from '../lanes.js'
import type { Part } from '../part.js'
import { median, show } from '../rounds.js'
import type { Servers } from '../servers.js'

const perSecond = 200
const concurrency = 10
const largestRatio = 2
const longestRecoverySeconds = 30
const patienceMs = 120_000
const sizes = {
  usual: { warmUpSeconds: 5, windowSeconds: 20, outageSeconds: 60 },
  quick: { warmUpSeconds: 2, windowSeconds: 4, outageSeconds: 6 },
}

interface Scene {
  /** A server of its own, that can be stopped. */
  readonly redis: TestServer
  readonly load: Contender<Load>
  readonly web: Contender<Web>
  readonly worker: Contender<Runner>
  /** Of the accepting route. */
  readonly url: string
}

interface Window {
  /** How many answers there were of each status; 0 stands for none. */
  readonly statuses: Readonly<Record<number, number>>
  readonly p50: number
  readonly p99: number
}

/** An accepting route while Redis is away, against the same with Redis: its answers, their times, and its jobs. */
export const outage: Part = async (servers, { rounds = 3, quick }) => {
  const { warmUpSeconds, windowSeconds, outageSeconds } = quick ? sizes.quick : sizes.usual
  const scene = await openScene(servers)
  try {
    const warmUp = await post(scene, warmUpSeconds)
    const ups: Window[] = []
    const downs: Window[] = []
    for (let round = 1; round <= rounds; round += 1) {
      ups.push(tell(`round ${round}, Redis up`, await post(scene, windowSeconds)))
      await scene.web.ask('ended', patienceMs)
      const down = await postWithoutRedis(scene, windowSeconds)
      downs.push(
        tell(`round ${round}, Redis down, all done ${show(down.recoverySeconds)} s after it`, down.window),
      )
    }
    const long = await postWithoutRedis(scene, outageSeconds)
    tell(`${outageSeconds} s without Redis, all done ${show(long.recoverySeconds)} s after it`, long.window)
    const accepted = countAccepted([warmUp, ...ups, ...downs, long.window])
    const succeeded = await scene.web.ask('succeeded')
    return [
      ...toTimes(ups, downs),
      toAnswers([...downs, long.window]),
      toRecovery(outageSeconds, long.recoverySeconds, { accepted, succeeded }),
    ]
  } finally {
    await closeScene(scene)
  }
}

async function openScene(servers: Servers): Promise<Scene> {
  const redis = await startRedisServer()
  const place = { databaseUrl: await servers.newDatabase(), redisUrl: redis.url }
  const load = await startContender<Load>('load', {})
  const web = await startContender<Web>('web-celeriac', place)
  const worker = await startContender<Runner>('worker-celeriac', place)
  await web.ask('open')
  await worker.ask('work', concurrency)
  return { redis, load, web, worker, url: `${await web.ask('serve')}/accept` }
}

async function closeScene({ redis, load, web, worker }: Scene): Promise<void> {
  await Promise.all([load.close(), web.close(), worker.close()])
  await redis.stop()
}

function post({ load, url }: Scene, seconds: number): Promise<Window> {
  return load.ask('postPaced', url, perSecond, seconds)
}

/** Redis goes when the first requests are on their way, and comes back after the last. */
async function postWithoutRedis(
  scene: Scene,
  seconds: number,
): Promise<{ readonly window: Window; readonly recoverySeconds: number }> {
  const posted = post(scene, seconds)
  await scene.redis.stop()
  const window = await posted
  await scene.redis.start()
  const backAt = performance.now()
  await scene.web.ask('ended', patienceMs)
  return { window, recoverySeconds: (performance.now() - backAt) / 1000 }
}

function tell(what: string, window: Window): Window {
  const statuses = Object.entries(window.statuses).map(([status, count]) => `${show(count)} × ${status}`)
  console.error(`  ${what}: p50 ${show(window.p50)} ms, p99 ${show(window.p99)} ms; ${statuses.join(', ')}`)
  return window
}

function toTimes(ups: readonly Window[], downs: readonly Window[]): Finding[] {
  const ratio = median(downs.map(({ p99 }, round) => p99 / (ups[round]?.p99 ?? Number.NaN)))
  const name = (state: string) => `${names.onRedis}: accept at ${perSecond}/s, Redis ${state}`
  return [
    {
      part: 'outage',
      name: name('down'),
      ratio: `p99 ${show(ratio)} × with Redis up`,
      figure: describe(downs),
      target: `p99 < ${largestRatio} × with Redis up`,
      met: ratio < largestRatio,
    },
    { part: 'outage', name: name('up'), figure: describe(ups) },
  ]
}

function toAnswers(windows: readonly Window[]): Finding {
  const all = windows
    .flatMap(({ statuses }) => Object.values(statuses))
    .reduce((sum, count) => sum + count, 0)
  const accepted = countAccepted(windows)
  return {
    part: 'outage',
    name: `${names.onRedis}: answers while Redis is down`,
    figure: `${show(accepted)} of ${show(all)} are 202`,
    target: 'every answer is 202',
    met: accepted === all,
  }
}

function countAccepted(windows: readonly Window[]): number {
  return windows.reduce((sum, { statuses }) => sum + (statuses[202] ?? 0), 0)
}

function toRecovery(
  outageSeconds: number,
  seconds: number,
  { accepted, succeeded }: { readonly accepted: number; readonly succeeded: number },
): Finding {
  return {
    part: 'outage',
    name: `${names.onRedis}: all jobs done after ${outageSeconds} s without Redis`,
    figure: `${show(seconds)} s after it returns; ${show(succeeded)} of ${show(accepted)} accepted jobs succeeded`,
    target: `≤ ${longestRecoverySeconds} s, all`,
    met: seconds <= longestRecoverySeconds && succeeded >= accepted,
  }
}

function describe(windows: readonly Window[]): string {
  const p99s = windows.map(({ p99 }) => p99)
  const spread = `${show(Math.min(...p99s))} to ${show(Math.max(...p99s))}`
  return `p99 ${show(median(p99s))} ms (${spread}), p50 ${show(median(windows.map(({ p50 }) => p50)))} ms`
}
