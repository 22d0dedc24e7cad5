import type { ClientEvent, Effect, EndState, History, JobRow, Wish } from './history.js'
import { observe } from './sightings.js'
import type { Report } from './verdict.js'

/** All that is known of one id. */
export interface Trail {
  readonly id: string
  /** Of the wish that was answered with this id. */
  key: string | undefined
  row: JobRow | undefined
  rolledBack: boolean
  /** A 404 came after the 202. */
  missing: boolean
  /** Times that an operator had it begin anew. */
  retried: number
  /** The end that a client saw last. `ended`: it was told that there was one, not which. */
  seenEnd: EndState | 'ended' | undefined
  readonly starts: Effect[]
  readonly finishes: Effect[]
  readonly commits: Effect[]
}

/** All that is known of one wish. */
export interface WishTrail {
  readonly key: string
  readonly task: string | undefined
  readonly wish: Wish
  /** Of its answers and of its rows. More than one is one too many. */
  readonly ids: Set<string>
  accepted: boolean
  /** The status of its last refusal. */
  refused: number | undefined
  /** A request had no answer that says what came of it. */
  unsure: boolean
  /** Requests whose client died before it noted an answer. */
  unanswered: number
  rolledBack: boolean
  /** Something ran in its name. */
  ran: boolean
}

export interface Trails {
  readonly jobs: ReadonlyMap<string, Trail>
  readonly wishes: ReadonlyMap<string, WishTrail>
  readonly tookMs: readonly number[]
}

/** Reads the history once. What contradicts itself on the way is reported at once. */
export function gatherTrails(history: History, report: Report): Trails {
  const jobs = new Map<string, Trail>()
  const wishes = new Map<string, WishTrail>()
  const tookMs: number[] = []

  for (const event of history.client) addEvent(event)
  for (const row of history.jobs) addRow(row)
  for (const effect of history.effects) addEffect(effect)
  for (const trail of jobs.values()) trail.starts.sort((one, other) => one.at - other.at)
  return { jobs, wishes, tookMs }

  function addEvent(event: ClientEvent): void {
    if ('tookMs' in event && event.tookMs !== undefined) tookMs.push(event.tookMs)
    if ('key' in event) addAnswer(event, wishOf(event.key, event))
    else observe(jobOf(event.id), event, report)
  }

  function addAnswer(event: Extract<ClientEvent, { key: string }>, wish: WishTrail): void {
    wish.unanswered += event.kind === 'asked' ? 1 : -1
    if (event.kind === 'accepted') accept(event.id, wish)
    else if (event.kind === 'refused') wish.refused = event.status
    else if (event.kind === 'unsure') wish.unsure = true
    else if (event.kind === 'rolledback') {
      wish.rolledBack = true
      jobOf(event.id).rolledBack = true
    }
  }

  function accept(id: string, wish: WishTrail): void {
    const trail = jobOf(id)
    wish.accepted = true
    wish.ids.add(id)
    if (trail.key !== undefined && trail.key !== wish.key)
      report('I12', id, `it was the answer to ${trail.key} and to ${wish.key}`)
    trail.key ??= wish.key
  }

  function addRow(row: JobRow): void {
    const trail = jobOf(row.id)
    if (trail.row) report('I12', row.id, 'two rows have it')
    if (trail.key !== undefined && row.key !== trail.key)
      report('I12', row.id, `it was the answer to ${trail.key}, and its row belongs to ${row.key}`)
    trail.row = row
    const wish = row.key === null ? undefined : wishes.get(row.key)
    if (!wish) report('I2', row.id, `a row that nobody asked for (key ${row.key})`)
    // The row of another wish's id is that id's fault, and told as such.
    else if (trail.key === undefined || trail.key === row.key) wish.ids.add(row.id)
  }

  function addEffect(effect: Effect): void {
    const trail = jobOf(effect.id)
    if (effect.kind === 'start') trail.starts.push(effect)
    else if (effect.kind === 'finish') trail.finishes.push(effect)
    else trail.commits.push(effect)
    const wish = effect.key === null ? undefined : wishes.get(effect.key)
    if (wish) wish.ran = true
  }

  function jobOf(id: string): Trail {
    const known = jobs.get(id)
    if (known) return known
    const trail: Trail = {
      id,
      key: undefined,
      row: undefined,
      rolledBack: false,
      missing: false,
      retried: 0,
      seenEnd: undefined,
      starts: [],
      finishes: [],
      commits: [],
    }
    jobs.set(id, trail)
    return trail
  }

  function wishOf(key: string, event: ClientEvent): WishTrail {
    const known = wishes.get(key)
    if (known) return known
    const asked = event.kind === 'asked' ? event : undefined
    const trail: WishTrail = {
      key,
      task: asked?.task,
      wish: asked ?? {},
      ids: new Set(),
      accepted: false,
      refused: undefined,
      unsure: false,
      unanswered: 0,
      rolledBack: false,
      ran: false,
    }
    wishes.set(key, trail)
    return trail
  }
}
