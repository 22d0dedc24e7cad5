/** An answer as text, and what tells it from another. */
export interface Rendered {
  readonly body: string
  readonly tag: string
}

/** Asks for what stands at an address, for all who may see it. */
export type Load = () => Promise<Rendered>

/** Somebody who watches an address. */
export interface Watcher {
  /** At once where it is known, and whenever it has changed. */
  onChange(rendered: Rendered): void
  onFailure(error: unknown): void
}

/**
 * What stands at the addresses that people look at. However many look, each is asked for at most every 2 s, what takes
 * long less often, and all together at most a few times a second: where there are more, each waits its turn. Nothing is asked while nobody looks.
 */
export interface Hub {
  /** A body that is younger than a second, or a new one. */
  get(address: string, load: Load): Promise<Rendered>
  watch(address: string, load: Load, watcher: Watcher): () => void
  /** Somebody has changed something: what is known is old. */
  forget(): void
  close(): void
}

export interface HubPace {
  /** One address is asked for so often. */
  readonly everyMs: number
  /** All addresses together, those of watchers. */
  readonly mostPerSecond: number
  readonly mostAtOnce: number
  /** A body is given for so long to who asks by himself. */
  readonly freshMs: number
}

export const usualPace: HubPace = Object.freeze({
  everyMs: 2000,
  mostPerSecond: 4,
  mostAtOnce: 2,
  freshMs: 1000,
})

/** Characters. What is larger is told to who watches it, and not kept until the next look: there may be thousands of addresses. */
export const largestKept = 1_048_576

/** So many times as long as a load takes, until the next of the same address: a fifth of the time at most. */
const restFactor = 5

interface Entry {
  readonly address: string
  readonly load: Load
  /** What each was told last. */
  readonly watchers: Map<Watcher, string | undefined>
  known: { readonly rendered: Rendered; readonly at: number } | undefined
  /** The load that is under way, unless something was changed since it began. */
  loading: Promise<Rendered> | undefined
  /** Loads that are under way. */
  loads: number
  /** When it is to be asked for anew. What nobody knows yet comes first. */
  dueAt: number
}

export function createHub(pace: HubPace = usualPace, now: () => number = () => performance.now()): Hub {
  const entries = new Map<string, Entry>()
  /** When the last loads for watchers began. */
  let begun: readonly number[] = []
  let underWay = 0
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  return {
    async get(address, load) {
      const entry = entryOf(address, load)
      if (entry.known && now() - entry.known.at < pace.freshMs) return entry.known.rendered
      return entry.loading ?? begin(entry)
    },
    watch(address, load, watcher) {
      const entry = entryOf(address, load)
      entry.watchers.set(watcher, undefined)
      if (entry.known) tell(entry, watcher, entry.known.rendered)
      schedule()
      return () => {
        entry.watchers.delete(watcher)
        sweep(entry)
      }
    },
    forget() {
      for (const entry of entries.values()) {
        entry.known = undefined
        entry.loading = undefined
        entry.dueAt = Math.min(entry.dueAt, now())
      }
      schedule()
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      entries.clear()
    },
  }

  function entryOf(address: string, load: Load): Entry {
    const present = entries.get(address)
    if (present) return present
    const watchers = new Map<Watcher, string | undefined>()
    const entry: Entry = { address, load, watchers, known: undefined, loading: undefined, loads: 0, dueAt: 0 }
    entries.set(address, entry)
    return entry
  }

  /** What nobody watches is kept as long as it may be given to others. */
  function sweep(entry: Entry): void {
    if (entry.watchers.size > 0 || entry.loads > 0) return
    const leftMs = entry.known ? entry.known.at + pace.freshMs - now() : 0
    if (leftMs > 0) setTimeout(() => sweep(entry), leftMs + 1).unref()
    else if (entries.get(entry.address) === entry) entries.delete(entry.address)
  }

  function begin(entry: Entry): Promise<Rendered> {
    const loading = load(entry)
    entry.loading = loading
    const begunAt = now()
    entry.loads++
    entry.dueAt = begunAt + pace.everyMs
    loading
      .then(
        (rendered) => learn(entry, loading, rendered),
        (error: unknown) => fail(entry, error),
      )
      .finally(() => {
        if (entry.loading === loading) entry.loading = undefined
        entry.loads--
        // What takes the store long is asked for less often, unless somebody has changed something meanwhile.
        if (entry.dueAt === begunAt + pace.everyMs)
          entry.dueAt = Math.max(entry.dueAt, begunAt + restFactor * (now() - begunAt))
        sweep(entry)
        // Somebody may have begun to watch meanwhile, and nothing else would come back to it.
        schedule()
      })
    return loading
  }

  /** So that a load that throws at once is a failure as any other. */
  async function load(entry: Entry): Promise<Rendered> {
    return entry.load()
  }

  /** What is old already is better than nothing for those who watch: the next look is due. Nobody else gets it. */
  function learn(entry: Entry, loading: Promise<Rendered>, rendered: Rendered): void {
    const isKept = entry.watchers.size === 0 || rendered.body.length <= largestKept
    if (entry.loading === loading) entry.known = isKept ? { rendered, at: now() } : undefined
    for (const watcher of entry.watchers.keys()) tell(entry, watcher, rendered)
  }

  function tell(entry: Entry, watcher: Watcher, rendered: Rendered): void {
    if (entry.watchers.get(watcher) === rendered.tag) return
    entry.watchers.set(watcher, rendered.tag)
    watcher.onChange(rendered)
  }

  function fail(entry: Entry, error: unknown): void {
    const told = `failure: ${error instanceof Error ? error.message : String(error)}`
    for (const [watcher, before] of entry.watchers) {
      if (before === told) continue
      entry.watchers.set(watcher, told)
      watcher.onFailure(error)
    }
  }

  /** Begins what is due and may begin, and comes back when the next may. */
  function schedule(): void {
    clearTimeout(timer)
    timer = undefined
    if (isClosed) return
    for (;;) {
      const next = nextDue()
      if (!next || underWay >= pace.mostAtOnce) return
      const waitMs = Math.max(next.dueAt, freeAt()) - now()
      if (waitMs > 0) {
        timer = setTimeout(schedule, Math.ceil(waitMs))
        timer.unref()
        return
      }
      begun = [...begun, now()].slice(-pace.mostPerSecond)
      underWay++
      begin(next)
        .catch(() => {})
        .finally(() => {
          underWay--
          schedule()
        })
    }
  }

  function nextDue(): Entry | undefined {
    let next: Entry | undefined
    for (const entry of entries.values()) {
      if (entry.watchers.size === 0 || entry.loads > 0) continue
      if (!next || entry.dueAt < next.dueAt) next = entry
    }
    return next
  }

  /** When one more load keeps to so many a second. */
  function freeAt(): number {
    const [first] = begun
    return begun.length < pace.mostPerSecond || first === undefined ? 0 : first + 1000
  }
}
