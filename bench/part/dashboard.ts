import type { Operations as Load } from '../contender/load.js'
import { pause } from '../contender/pause.js'
import type { Operations as Web } from '../contender/web-celeriac.js'
import { type Contender, startContender } from '../contender.js'
import { fillDashboard } from '../fill-dashboard.js'
import { filledQueue, filledTask, filledWorker, usualSizes } from '../filled.js'
import type { Finding } from '../finding.js'
import { names } from '../lanes.js'
import type { Part } from '../part.js'
import { percentile } from '../percentile.js'
import { median, show } from '../rounds.js'
import { prepareTables } from '../run-jobs.js'
import { countScans } from '../scans.js'
import type { Servers } from '../servers.js'

const sizes = {
  usual: { ...usualSizes, samples: 10, windowSeconds: 12 },
  quick: { ...usualSizes, finished: 50_000, waiting: 1000, samples: 2, windowSeconds: 2 },
}

const longestPageMs = 300
const longestFilterMs = 500
const perSecond = 200
const largestRatio = 2
/** What a process has read a moment ago it may tell again. */
const forgottenMs = 1500

/** What the pages ask for first, by page. */
const pages: Readonly<Record<string, readonly string[]>> = {
  overview: ['15m', '1h', '6h', '24h', '7d', '30d'].map((range) => `/overview?range=${range}`),
  jobs: ['/jobs?createdAfter=24h&values=short', '/jobs?values=short', '/jobs?values=short&sort=oldest'],
  tasks: ['1h', '24h', '30d'].map((range) => `/tasks?range=${range}`),
  task: ['1h', '24h', '30d'].map((range) => `/tasks/{task}?range=${range}`),
  queues: ['1h', '24h', '30d'].map((range) => `/queues?range=${range}`),
  queue: ['1h', '24h', '30d'].map((range) => `/queues/{queue}?range=${range}`),
  workers: ['/workers'],
  worker: ['1h', '24h', '7d'].map((range) => `/workers/{worker}?range=${range}`),
  job: ['/jobs/{job}', '/jobs/{job}/logs'],
  system: ['/system'],
  audit: ['/commands'],
  shell: ['/me', '/status', '/vocabulary'],
}

/** Filters that an index serves. */
const filters: readonly string[] = [
  '/jobs?state=failed',
  '/jobs?state=failed&queue={queue}',
  '/jobs?state=queued',
  '/jobs?state=queued&queue={queue}&sort=oldest',
  '/jobs?state=succeeded',
  '/jobs?state=succeeded&task={task}',
  '/jobs?state=failed,cancelled,expired&finishedAfter=24h',
  '/jobs?id={job}',
  '/jobs?createdAfter=6h&createdBefore=3h',
  '/jobs?finishedAfter=6h&finishedBefore=3h&state=succeeded',
  '/jobs?query=state:failed%20task:{task}',
  '/jobs?query=queue:{queue}%20and%20not%20state:succeeded',
  '/job-count?state=failed',
  '/job-count?state=queued',
]

/** What stands in their place. */
const places = new Map([
  ['task', filledTask(1)],
  ['queue', filledQueue(1)],
  ['worker', filledWorker(1)],
])

interface Scene {
  readonly load: Contender<Load>
  /** Of the web process. */
  readonly url: string
  readonly api: string
}

/** The dashboard over millions of jobs, and a bulk action beside an accepting route. */
export const dashboard: Part = async (servers, { rounds = 3, quick }) => {
  const size = quick ? sizes.quick : sizes.usual
  const { web, load, target } = await openScene(servers, size)
  try {
    const url = await web.ask('serve')
    const scene = { load, url, api: `${url}/jobs/dashboard/api` }
    const { found, scans } = await countScans(target.databaseUrl, () => askAll(scene, size.samples))
    return [...found, toScans(scans), ...(await retryMany(scene, rounds, size.windowSeconds))]
  } finally {
    await Promise.all([web.close(), load.close()])
  }
}

async function openScene(servers: Servers, size: typeof sizes.usual) {
  const target = { databaseUrl: await servers.newDatabase(), redisUrl: servers.newRedis() }
  // Pruning would go through most of the jobs meanwhile.
  const web = await startContender<Web>('web-celeriac', { ...target, keepsAll: true })
  const load = await startContender<Load>('load', {})
  await prepareTables(web)
  await fillDashboard(target, size)
  await web.ask('open')
  return { web, load, target }
}

/** Each address of a page, and each filter: how long it takes, one after another, with nothing remembered. */
async function askAll({ load, api }: Scene, samples: number): Promise<Finding[]> {
  const job = await findFailed(api)
  const toUrl = (address: string) =>
    api +
    address.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'job' ? job : (places.get(name) ?? '')))
  const asked = [...Object.values(pages).flat(), ...filters]
  const times = await load.ask('getInTurn', asked.map(toUrl), samples, forgottenMs)
  const of = new Map(asked.map((address, at) => [address, times[at] ?? []]))
  return [
    ...Object.entries(pages).map(([page, addresses]) =>
      toFinding(`page ${page}`, addresses, of, longestPageMs),
    ),
    toFinding('filters with an index', filters, of, longestFilterMs),
  ]
}

async function findFailed(api: string): Promise<string> {
  const answer = await fetch(`${api}/jobs?state=failed&limit=1`)
  const { jobs } = (await answer.json()) as { jobs: readonly { readonly id: string }[] }
  return jobs[0]?.id ?? ''
}

/** By the slowest of its addresses. */
function toFinding(
  name: string,
  addresses: readonly string[],
  of: ReadonlyMap<string, readonly number[]>,
  longestMs: number,
): Finding {
  const measured = addresses.map((address) => ({ address, times: of.get(address) ?? [] }))
  for (const { address, times } of measured)
    console.error(
      `  ${address}: p50 ${show(percentile(times, 50))} ms, longest ${show(Math.max(...times))} ms`,
    )
  const slowest = measured.toSorted((a, b) => Math.max(...b.times) - Math.max(...a.times))[0]
  const times = slowest?.times ?? []
  const longest = Math.max(...times)
  return {
    part: 'dashboard',
    name: `${names.onRedis}: ${name}`,
    figure: `longest ${show(longest)} ms, p50 ${show(percentile(times, 50))} ms, of ${slowest?.address ?? ''}`,
    target: `≤ ${longestMs} ms`,
    met: longest <= longestMs,
  }
}

function toScans(scans: number): Finding {
  return {
    part: 'dashboard',
    name: `${names.onRedis}: scans of the whole table of jobs by all of these`,
    figure: String(scans),
    target: '0',
    met: scans === 0,
  }
}

interface Operation {
  readonly id: string
  readonly operation: { readonly state: string; readonly done: number; readonly matched: number } | null
}

/** All failed jobs are retried, by one action, while a route accepts; it is stopped and resumed between windows. */
async function retryMany(scene: Scene, rounds: number, seconds: number): Promise<Finding[]> {
  const usual: number[] = []
  const during: number[] = []
  let found: Operation | undefined
  let workedMs = 0
  const seen: number[] = []
  await accept(scene, seconds)
  for (let round = 1; round <= rounds; round += 1) {
    usual.push(await accept(scene, seconds))
    const begun = performance.now()
    found = found
      ? await post(scene, `/commands/${found.id}/resume`)
      : await post(scene, '/jobs/retry', everyFailed)
    const [p99, looks] = await Promise.all([accept(scene, seconds), watchProgress(scene, found.id, seconds)])
    during.push(p99)
    seen.push(...looks)
    workedMs += performance.now() - begun
    if (round < rounds) found = await stopped(scene, found.id)
    console.error(
      `  round ${round}: accept p99 ${show(usual.at(-1) ?? 0)} ms, with the action ${show(p99)} ms`,
    )
  }
  const at = performance.now()
  const last = await ended(scene, found?.id ?? '')
  const ratio = median(during.map((p99, round) => p99 / (usual[round] ?? Number.NaN)))
  return [
    {
      part: 'dashboard',
      name: `${names.onRedis}: accept at ${perSecond}/s while ${show(last.done)} jobs are retried`,
      ratio: `p99 ${show(ratio)} × without`,
      figure: `p99 ${show(median(during))} ms, ${show(median(usual))} ms without; retried in ${show((workedMs + performance.now() - at) / 1000)} s`,
      target: `p99 < ${largestRatio} × without`,
      met: ratio < largestRatio,
    },
    {
      part: 'dashboard',
      name: `${names.onRedis}: progress of that, looked at once a second`,
      figure: `${new Set(seen).size} figures in ${seen.length} looks, ${show(last.done)} of ${show(last.matched)} at the end`,
      target: 'all, told on the way',
      met: last.done >= last.matched && new Set(seen).size > 1,
    },
  ]
}

const everyFailed = { filter: { state: 'failed' } }

async function accept({ load, url }: Scene, seconds: number): Promise<number> {
  return (await load.ask('postPaced', `${url}/accept`, perSecond, seconds)).p99
}

async function watchProgress(scene: Scene, id: string, seconds: number): Promise<number[]> {
  const looks: number[] = []
  for (let at = 0; at < seconds; at += 1) {
    await pause(1000)
    looks.push((await look(scene, id)).operation?.done ?? 0)
  }
  return looks
}

async function stopped(scene: Scene, id: string): Promise<Operation> {
  await post(scene, `/commands/${id}/stop`)
  return until(scene, id, (state) => state !== 'running' && state !== 'stopping')
}

async function ended(scene: Scene, id: string) {
  const { operation } = await until(scene, id, (state) => state === 'done' || state === 'failed')
  return operation ?? { done: 0, matched: 0 }
}

async function until(scene: Scene, id: string, isSo: (state: string) => boolean): Promise<Operation> {
  for (;;) {
    const found = await look(scene, id)
    if (isSo(found.operation?.state ?? '')) return found
    await pause(250)
  }
}

async function look({ api }: Scene, id: string): Promise<Operation> {
  return (await (await fetch(`${api}/commands/${id}`)).json()) as Operation
}

async function post({ api, url }: Scene, path: string, body: object = {}): Promise<Operation> {
  const answer = await fetch(api + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: new URL(url).origin },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as Operation
}
