import { ClosedError, StoreUnavailableError } from '../errors.js'
import type { Look, Sight, Store } from '../store/store.js'

/** Tells what changes of jobs: one query a tick for all that this process follows, none when nothing is followed. */
export interface Follower {
  /**
   * Resolves when there is something that this look has not seen. The next call goes on from there, so nothing is
   * gathered for a reader who takes its time.
   * @throws the reason of `signal` when that aborts
   * @throws {ClosedError} when the follower is closed, or is closed meanwhile
   * @throws {StoreUnavailableError} when a first look fails; later ones wait for the store
   */
  next(look: Look, options: NextOptions): Promise<Sight>
  /** Looks at this job without waiting for the tick, if it is followed. */
  notice(jobId: string): void
  /** Readers that wait for something. */
  readonly size: number
  close(): void
}

export interface NextOptions {
  readonly signal: AbortSignal
  /** Without waiting for the tick. */
  readonly isHurried: boolean
  /** After this time there is an answer although nothing has changed. */
  readonly patienceMs?: number
}

const tickMs = 200
/** Between two looks at a store that is away. */
const outagePauseMs = 1000
const closedMessage = 'This celeriac() was closed while the job was followed. The job goes on.'

const unchanged: Sight = { isGone: false, lines: [], hasMore: false }

/** Readers that have seen the same of a job. */
interface Place {
  readonly look: Look
  readonly readers: Set<Reader>
  isHurried: boolean
}

interface Reader {
  resolve(sight: Sight): void
  reject(error: unknown): void
}

export function createFollower(store: Pick<Store, 'look'>): Follower {
  /** By job, then by what was seen of it. */
  const followed = new Map<string, Map<string, Place>>()
  let looking = false
  let closed = false
  let wake: (() => void) | undefined

  return {
    next,
    notice,
    get size() {
      return places().reduce((sum, { readers }) => sum + readers.size, 0)
    },
    close() {
      closed = true
      for (const place of places()) rejectAll(place, new ClosedError(closedMessage))
      wake?.()
    },
  }

  function next(look: Look, { signal, isHurried, patienceMs }: NextOptions): Promise<Sight> {
    if (closed) return Promise.reject(new ClosedError(closedMessage))
    if (signal.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const place = placeOf(look)
      const leave = () => {
        clearTimeout(patience)
        signal.removeEventListener('abort', giveUp)
        place.readers.delete(reader)
        if (place.readers.size === 0) forget(place)
      }
      const giveUp = () => {
        leave()
        reject(signal.reason)
      }
      const reader: Reader = {
        resolve(sight) {
          leave()
          resolve(sight)
        },
        reject(error) {
          leave()
          reject(error)
        },
      }
      const patience =
        patienceMs === undefined ? undefined : setTimeout(() => reader.resolve(unchanged), patienceMs)
      signal.addEventListener('abort', giveUp)
      place.readers.add(reader)
      if (isHurried) hurry(place)
      if (looking) return
      looking = true
      void lookUntilNobodyAsks()
    })
  }

  function notice(jobId: string): void {
    for (const place of followed.get(jobId)?.values() ?? []) hurry(place)
  }

  function hurry(place: Place): void {
    place.isHurried = true
    wake?.()
  }

  async function lookUntilNobodyAsks(): Promise<void> {
    let dueAt = 0
    while (followed.size > 0) {
      const isDue = performance.now() >= dueAt
      const asked = isDue ? places() : places().filter(({ isHurried }) => isHurried)
      const pauseMs = (await lookAt(asked)) ? tickMs : outagePauseMs
      if (isDue || pauseMs > tickMs) dueAt = performance.now() + pauseMs
      if (followed.size > 0 && !places().some(({ isHurried }) => isHurried)) await untilWoken(dueAt)
    }
    looking = false
  }

  /** `false`: the store is away. */
  async function lookAt(asked: readonly Place[]): Promise<boolean> {
    for (const place of asked) place.isHurried = false
    if (asked.length === 0) return true
    try {
      const sights = await store.look(asked.map(({ look }) => look))
      for (const [at, sight] of sights.entries())
        if (sight) for (const reader of [...(asked[at]?.readers ?? [])]) reader.resolve(sight)
      return true
    } catch (error) {
      const isOutage = error instanceof StoreUnavailableError
      for (const place of asked) if (!isOutage || place.look.version === null) rejectAll(place, error)
      return false
    }
  }

  async function untilWoken(at: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, at - performance.now()))
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    wake = undefined
  }

  function places(): Place[] {
    return [...followed.values()].flatMap((each) => [...each.values()])
  }

  function placeOf(look: Look): Place {
    const ofJob = followed.get(look.jobId) ?? new Map<string, Place>()
    followed.set(look.jobId, ofJob)
    const key = keyOf(look)
    const place = ofJob.get(key) ?? { look, readers: new Set(), isHurried: false }
    ofJob.set(key, place)
    return place
  }

  function forget({ look }: Place): void {
    const ofJob = followed.get(look.jobId)
    ofJob?.delete(keyOf(look))
    if (ofJob?.size === 0) followed.delete(look.jobId)
  }
}

function rejectAll({ readers }: Place, error: unknown): void {
  for (const reader of [...readers]) reader.reject(error)
}

function keyOf({ after, version }: Look): string {
  return `${after} ${version}`
}
