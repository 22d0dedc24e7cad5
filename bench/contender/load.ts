import { Agent, get, request } from 'node:http'
import autocannon from 'autocannon'
import { percentile } from '../percentile.js'
import { answer } from './answer.js'
import { now } from './now.js'
import { pause } from './pause.js'

const connections = 100
const headers = { 'content-type': 'application/json' }
const body = JSON.stringify({ month: '2026-11' })

/** A process that puts load on web processes over HTTP. */
const operations = {
  /** Posts the same small JSON again and again over a hundred connections. */
  async post(url: string, seconds: number) {
    const result = await autocannon({ url, method: 'POST', headers, body, connections, duration: seconds })
    if (result.non2xx + result.errors + result.timeouts > 0) {
      throw new Error(
        `${url} answered ${result.non2xx} requests with an error, and ${result.errors} not at all.`,
      )
    }
    return { accepted: result['2xx'], perSecond: result['2xx'] / result.duration, latency: result.latency }
  },

  /** Posts so many a second, whatever becomes of the ones before. Times count from when each was due. */
  async postPaced(url: string, perSecond: number, seconds: number) {
    const agent = new Agent({ keepAlive: true })
    const startedAt = now()
    const answers: Promise<Answered>[] = []
    for (let at = 0; at < perSecond * seconds; at += 1) {
      const dueAt = startedAt + (at * 1000) / perSecond
      const early = dueAt - now()
      if (early > 0) await pause(early)
      answers.push(postOne(url, agent, dueAt))
    }
    const all = await Promise.all(answers)
    agent.destroy()
    const ms = all.map((each) => each.ms)
    return { statuses: countStatuses(all), p50: percentile(ms, 50), p99: percentile(ms, 99) }
  },

  /** Gets one after another over one connection. */
  async getEach(urls: readonly string[]) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ms: number[] = []
    for (const url of urls) {
      const startedAt = now()
      const status = await getOne(url, agent)
      if (status !== 200) throw new Error(`${url} answered ${status}.`)
      ms.push(now() - startedAt)
    }
    agent.destroy()
    return { p50: percentile(ms, 50), p99: percentile(ms, 99) }
  },

  /** Gets all of them in turn, so many rounds, so long apart. Gives the times of each, without the first round. */
  async getInTurn(urls: readonly string[], rounds: number, apartMs: number) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const times = urls.map((): number[] => [])
    for (let round = 0; round <= rounds; round += 1) {
      for (const [at, url] of urls.entries()) {
        const startedAt = now()
        const status = await getOne(url, agent)
        if (status !== 200) throw new Error(`${url} answered ${status}.`)
        if (round > 0) times[at]?.push(now() - startedAt)
      }
      await pause(apartMs)
    }
    agent.destroy()
    return times
  },
}

interface Answered {
  /** 0 when there was no answer. */
  readonly status: number
  readonly ms: number
}

function postOne(url: string, agent: Agent, dueAt: number): Promise<Answered> {
  return new Promise((resolve) => {
    const done = (status: number) => resolve({ status, ms: now() - dueAt })
    const outgoing = request(url, { method: 'POST', headers, agent }, (res) => {
      res.resume().once('end', () => done(res.statusCode ?? 0))
    })
    outgoing.once('error', () => done(0))
    outgoing.end(body)
  })
}

function getOne(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (res) => {
      res.resume().once('end', () => resolve(res.statusCode ?? 0))
    }).once('error', reject)
  })
}

/** How many answers there were of each status. */
function countStatuses(all: readonly Answered[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of all) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

export type Operations = typeof operations
answer(operations)
