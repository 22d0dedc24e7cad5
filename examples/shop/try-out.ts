import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Celeriac, type JobStatus, StoreUnavailableError } from 'celeriac'
import sharp from 'sharp'
import type { Thumbnail } from './modules/media/pictures.js'

type PictureStatus = JobStatus<{ readonly thumbnails: readonly Thumbnail[] }>

/**
 * Does over HTTP what a browser would: uploads a picture, follows its job to the end, looks at every thumbnail. Says
 * each step.
 * @returns the job's address
 * @throws when anything is not as it should be, with the reason
 */
export async function tryOut(jobs: Celeriac, url: string, file: string): Promise<{ job: string }> {
  say('the shop is open', url)
  await untilReady(jobs)
  say('store and broker', 'ready, and a worker runs in this process')
  const job = new URL(await upload(url, file), url).href
  const { result } = await follow(job)
  for (const thumbnail of result?.thumbnails ?? []) await assertSize(url, thumbnail)
  return { job }
}

const patienceMs = 120_000

/** The first start prepares a database, and a machine may be slow: longer than one call would wait. */
async function untilReady(jobs: Celeriac): Promise<void> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    try {
      return await jobs.ready()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || Date.now() > deadline) throw error
    }
  }
}

async function upload(url: string, file: string): Promise<string> {
  const bytes = await readFile(file)
  const answer = await fetch(`${url}/pictures`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/jpeg' },
    body: new Uint8Array(bytes),
  })
  if (answer.status !== 202)
    throw new Error(`POST /pictures answered ${answer.status}: ${await reason(answer)}`)
  const location = answer.headers.get('Location')
  if (location === null) throw new Error('POST /pictures answered 202 without a Location.')
  say('POST /pictures', `${basename(file)}, ${kilobytes(bytes.length)}`)
  say('', `202, Location: ${location}`)
  return location
}

async function follow(job: string): Promise<PictureStatus> {
  const deadline = Date.now() + patienceMs
  let told = ''
  for (;;) {
    const answer = await fetch(job)
    if (!answer.ok) throw new Error(`GET ${job} answered ${answer.status}: ${await reason(answer)}`)
    const status = (await answer.json()) as PictureStatus
    const line = describe(status)
    if (line !== told) say(told === '' ? 'GET its Location' : '', line)
    told = line
    if (status.state === 'succeeded') return status
    if (status.finishedAt !== null) throw new Error(`the job ${status.state}: ${status.error?.message}`)
    if (Date.now() > deadline)
      throw new Error(`the job is still ${status.state} after ${patienceMs / 1000} s.`)
    await setTimeout(100)
  }
}

function describe({ state, progress, waitingFor }: PictureStatus): string {
  const isReport =
    typeof progress === 'object' && progress !== null && 'percent' in progress && 'note' in progress
  if (waitingFor) return `${state}, waiting for a ${waitingFor}`
  return isReport ? `${state}, ${progress.percent} %, ${progress.note}` : state
}

async function assertSize(url: string, thumbnail: Thumbnail): Promise<void> {
  const answer = await fetch(url + thumbnail.url)
  if (!answer.ok) throw new Error(`GET ${thumbnail.url} answered ${answer.status}.`)
  const { format, width, height } = await sharp(await answer.arrayBuffer()).metadata()
  if (width !== thumbnail.width || height !== thumbnail.height) {
    throw new Error(
      `${thumbnail.url} is ${width} × ${height}, and ought to be ${thumbnail.width} × ${thumbnail.height}.`,
    )
  }
  say(`GET its ${thumbnail.size}`, `${format}, ${width} × ${height}, ${kilobytes(thumbnail.bytes)}`)
}

async function reason(answer: Response): Promise<string> {
  const text = await answer.text()
  try {
    return (JSON.parse(text) as { detail: string }).detail
  } catch {
    return text
  }
}

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KB`
}

function say(what: string, outcome: string): void {
  console.log(`  ${what.padEnd(18)}${outcome}`)
}
