import { expect, test } from 'vitest'
import { createRandom, type Random } from '../random.js'
import { checkHistory } from './check.js'
import { bend, emptyHistory, type Forged, kill, pids, type Run, rowOf, type Story, tell } from './forge.js'
import type { EndState } from './history.js'
import type { Rule } from './verdict.js'

const jobs = 2000
const [one, other] = pids

/** A run as it may well have been: retries, kills, cancels, exactly-once tasks, followed and not. */
function generate(random: Random): Forged {
  const history = emptyHistory()
  for (let number = 0; number < jobs; number += 1) tellOne(history, number, random)
  return history
}

function tellOne(history: Forged, number: number, random: Random): void {
  const at = number * 20
  const part = random.next()
  const story: Story = { at, seen: random.next() < 0.3, ...(part < 0.1 ? { wish: { once: true } } : {}) }
  if (part < 0.7) tell(history, number, story)
  else if (part < 0.8) tell(history, number, { ...story, runs: [{ how: 'threw' }, { how: 'returned' }] })
  else if (part < 0.85) tell(history, number, { ...story, runs: [{ how: 'threw', pid: other }] })
  else if (part < 0.9)
    tell(history, number, { ...story, runs: [], state: 'cancelled', cancelled: 'cancelled', seen: false })
  else {
    const lost: Run = { how: random.next() < 0.5 ? 'silent' : 'returned', outcome: 'lost', pid: 200 + number }
    history.workers.push({ id: `worker-${200 + number}`, pid: 200 + number })
    tell(history, number, { ...story, runs: [lost, { how: 'returned', pid: other }] })
    history.faults.push(kill(200 + number, at + 62))
  }
}

/** Bends one job of a clean history, and says which rule must see it. */
type Forgery = (history: Forged, id: string, random: Random) => void

const forgeries: Partial<Record<Rule, readonly Forgery[]>> = {
  I1: [
    function lose(history, id) {
      history.jobs = history.jobs.filter((row) => row.id !== id)
    },
    function leaveRunning(history, id) {
      bend(history, id, { state: 'running', finishedAt: null })
    },
    function endAWeekLater(history, id) {
      bend(history, id, { finishedAt: 6e8 })
    },
  ],
  I2: [
    function acceptTwice(history, id) {
      const { key } = rowOf(history, id)
      history.client.push({ at: 1e6, kind: 'accepted', key: key ?? '', id: `${id} again` })
    },
    function storeTwice(history, id) {
      history.jobs.push({ ...rowOf(history, id), id: `${id} again` })
    },
    function refuse(history, id) {
      history.client = history.client.map((event) =>
        event.kind === 'accepted' && event.id === id
          ? { at: event.at, kind: 'refused', key: event.key, status: 413 }
          : event,
      )
    },
    function forget(history, id) {
      const { key } = rowOf(history, id)
      history.client = history.client.filter((event) =>
        'key' in event ? event.key !== key : event.id !== id,
      )
    },
  ],
  I3: [
    function startLate(history, id, random) {
      const { key, finishedAt, attempt } = rowOf(history, id)
      const at = (finishedAt ?? 0) + random.between(200, 100_000)
      history.effects.push({ at, kind: 'start', id, key, attempt: attempt + 1, pid: one, ok: null })
    },
  ],
  I4: [
    function differInAttempt(history, id) {
      const row = rowOf(history, id)
      bend(history, id, { state: 'succeeded', attempt: row.attempt + 1 })
    },
    function dropTheResult(history, id) {
      bend(history, id, { state: 'succeeded', result: 'null' })
    },
    function keepAnEarlierResult(history, id) {
      bend(history, id, { state: 'succeeded', result: JSON.stringify({ attempt: 0, pid: other }) })
    },
  ],
  I5: [
    function startTwice(history, id) {
      const { key, createdAt } = rowOf(history, id)
      const start = { kind: 'start', id, key, pid: one, ok: null } as const
      history.effects.push(
        { ...start, at: createdAt + 6, attempt: 0 },
        { ...start, at: createdAt + 7, attempt: 0 },
      )
      history.faults = []
    },
  ],
  I6: [
    function commitTwice(history, id) {
      const { key, attempt, finishedAt } = rowOf(history, id)
      const commit = { at: finishedAt ?? 0, kind: 'commit', id, key, attempt, pid: one, ok: null } as const
      history.effects.push(commit, { ...commit, pid: other })
    },
    function settleTwice(history, id) {
      const entry = { number: 1, worker: 'worker-101', outcome: 'failed' } as const
      bend(history, id, { attempts: [entry, entry] })
    },
  ],
  I7: [
    function goBack(history, id) {
      const { state } = rowOf(history, id)
      history.client.push(
        { at: 1e6, kind: 'seen', id, state },
        { at: 1e6, kind: 'seen', id, state: 'running' },
      )
    },
    function changeTheEnd(history, id, random) {
      const ends: EndState[] = ['succeeded', 'failed', 'cancelled', 'expired']
      const others = ends.filter((end) => end !== rowOf(history, id).state)
      const state = others[random.between(0, others.length - 1)] ?? 'expired'
      history.client.push({ at: 1e6, kind: 'seen', id, state })
    },
  ],
  I12: [
    function giveTheIdAgain(history, id) {
      history.client.push(
        { at: 1e6, kind: 'asked', key: 'another', task: 'work.quick' },
        { at: 1e6, kind: 'accepted', key: 'another', id },
      )
    },
    function storeTheIdTwice(history, id) {
      history.jobs.push(rowOf(history, id))
    },
    function becomeAnotherTask(history, id) {
      bend(history, id, { task: 'work.other' })
    },
  ],
}

const cases = Object.entries(forgeries).flatMap(([rule, list]) => list.map((forge) => ({ rule, forge })))

test.each(Array.from({ length: 200 }, (_, seed) => seed))('seed %i', (seed) => {
  const random = createRandom(seed)
  const history = generate(random)
  expect(checkHistory(history).violations).toEqual([])

  const chosen = cases[seed % cases.length]
  const id = `job-${random.between(0, jobs - 1)}`
  chosen?.forge(history, id, random)

  const found = checkHistory(history).violations
  expect(
    found.map(({ rule }) => rule),
    `${chosen?.forge.name} of ${id}`,
  ).toContain(chosen?.rule)
})
