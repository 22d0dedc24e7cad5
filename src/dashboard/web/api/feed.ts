import { urlOf } from './address.js'
import { isOutage, Problem, sendForJson } from './call.js'

/** What is known of one address. */
export interface Known {
  readonly body: unknown
  readonly problem: Problem | undefined
  /** When it was heard of last; 0: never. */
  readonly at: number
}

interface Entry {
  known: Known
  etag: string | undefined
  readonly listeners: Set<() => void>
  isAsked: boolean
}

const nothing: Known = Object.freeze({ body: undefined, problem: undefined, at: 0 })
/** Where a stream cannot be had. */
const pollMs = 5000
/** Until a stream is tried again. */
const restMs = 30_000
/** For an answer, and for a stream to open. */
const patienceMs = 15_000
/** What was not heard of for so long is asked for, to be sure: a stream tells only what has changed. */
const silenceMs = 120_000
/** A stream beats every 15 s. One that does not has died without a word. */
const deadMs = 35_000
/** A page asks for its parts one after the other as it appears. */
const gatherMs = 60
/** What nobody has looked at for so long is forgotten. */
const keepMs = 60_000

/** What is said to each visitor alone is in no stream, which many share. It is asked again when the stream has ended. */
const ownAddress = '/me'

/** `down`: the server answers that it cannot. `offline`: it does not answer. */
export type FeedState = 'live' | 'polling' | 'paused' | 'down' | 'offline'

/** Why nothing new is heard, for all that is shown. */
export interface Outage {
  readonly message: string
  /** Milliseconds. */
  readonly since: number
}

/**
 * All that the page shows, by address: asked once, then heard of by one stream for the whole page, or asked again now
 * and then where no stream can be had. Nothing is asked while nobody looks at the page.
 */
class Feed {
  readonly #entries = new Map<string, Entry>()
  readonly #stateListeners = new Set<() => void>()
  readonly #doneListeners = new Set<() => void>()
  #stream: EventSource | undefined
  #streamed = ''
  #gathering: ReturnType<typeof setTimeout> | undefined
  #polling: ReturnType<typeof setInterval> | undefined
  #streamAfter = 0
  #beatAt = 0
  #state: FeedState = 'live'
  #isPolling = false
  #outage: Outage | undefined

  constructor() {
    document.addEventListener('visibilitychange', () => this.#connect(document.hidden ? 'hide' : 'show'))
    addEventListener('online', () => this.#connect('show'))
    // Perhaps the server is on this machine, and answers all the same.
    addEventListener('offline', () => this.refresh())
    setInterval(() => this.#doubt(), pollMs)
  }

  get(address: string): Known {
    return this.#entries.get(address)?.known ?? nothing
  }

  get state(): FeedState {
    return this.#state
  }

  get outage(): Outage | undefined {
    return this.#outage
  }

  watch(address: string, listener: () => void): () => void {
    const entry = this.#entries.get(address) ?? this.#add(address)
    entry.listeners.add(listener)
    if (!document.hidden) void this.#ask(address, entry)
    this.#gather()
    return () => {
      entry.listeners.delete(listener)
      this.#gather()
      setTimeout(() => {
        if (entry.listeners.size === 0 && this.#entries.get(address) === entry) this.#entries.delete(address)
      }, keepMs)
    }
  }

  onState(listener: () => void): () => void {
    this.#stateListeners.add(listener)
    return () => void this.#stateListeners.delete(listener)
  }

  /** Asks anew for all that is shown: something was done. */
  refresh(): void {
    this.#askAll()
    for (const listener of this.#doneListeners) listener()
  }

  /** Something was done, from this page. */
  onDone(listener: () => void): () => void {
    this.#doneListeners.add(listener)
    return () => void this.#doneListeners.delete(listener)
  }

  #askAll(): void {
    for (const [address, entry] of this.#watched()) void this.#ask(address, entry)
  }

  #add(address: string): Entry {
    const entry: Entry = { known: nothing, etag: undefined, listeners: new Set(), isAsked: false }
    this.#entries.set(address, entry)
    return entry
  }

  #watched(): [string, Entry][] {
    return [...this.#entries].filter(([, { listeners }]) => listeners.size > 0)
  }

  /** Asks where nothing was heard of lately. */
  #doubt(): void {
    if (document.hidden) return
    if (this.#stream && Date.now() - this.#beatAt > deadMs) this.#giveUp()
    for (const [address, entry] of this.#watched())
      if (Date.now() - entry.known.at > silenceMs) void this.#ask(address, entry)
  }

  async #ask(address: string, entry: Entry): Promise<void> {
    if (entry.isAsked) return
    entry.isAsked = true
    try {
      const { body = entry.known.body, answer } = await sendForJson(address, {
        signal: AbortSignal.timeout(patienceMs),
        ...(entry.etag ? { headers: { 'If-None-Match': entry.etag } } : {}),
      })
      entry.etag = answer.headers.get('ETag') ?? undefined
      this.#tell(entry, { body, problem: undefined, at: Date.now() })
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(0, 'UNKNOWN', String(error))
      this.#tell(entry, { ...entry.known, problem, at: Date.now() })
      if (problem.status === 401 && address !== ownAddress) this.#askOwn()
      if (isOutage(problem)) setTimeout(() => this.#askAgain(address, entry), pollMs)
    } finally {
      entry.isAsked = false
    }
  }

  /** Whose session has ended is told so instead of the page. */
  #askOwn(): void {
    const own = this.#entries.get(ownAddress)
    if (own) void this.#ask(ownAddress, own)
  }

  /** A stream says nothing of what has not changed meanwhile. */
  #askAgain(address: string, entry: Entry): void {
    if (this.#stream && !document.hidden && entry.listeners.size > 0 && entry.known.problem)
      void this.#ask(address, entry)
  }

  #tell(entry: Entry, known: Known): void {
    entry.known = known
    for (const listener of entry.listeners) listener()
    this.#judge()
  }

  #judge(): void {
    const [problem] = this.#watched()
      .flatMap(([, { known }]) => (known.problem && isOutage(known.problem) ? [known.problem] : []))
      .sort((one, other) => one.status - other.status)
    const state = problem ? (problem.status === 0 ? 'offline' : 'down') : this.#isPolling ? 'polling' : 'live'
    this.#setState(document.hidden ? 'paused' : state, problem)
  }

  #gather(): void {
    clearTimeout(this.#gathering)
    this.#gathering = setTimeout(() => this.#connect('change'), gatherMs)
  }

  #connect(why: 'change' | 'hide' | 'show'): void {
    if (document.hidden) {
      this.#close()
      this.#judge()
      return
    }
    if (why === 'show') this.#askAll()
    const watched = this.#watched()
      .map(([address]) => address)
      .filter((address) => address !== ownAddress)
    const url = urlOf(`/live?${new URLSearchParams(watched.sort().map((each) => ['watch', each]))}`)
    if (this.#stream && this.#streamed === url) return
    this.#close()
    if (watched.length === 0) return
    if (Date.now() < this.#streamAfter) this.#poll()
    else this.#open(url)
  }

  #open(url: string): void {
    const stream = new EventSource(url)
    this.#stream = stream
    this.#streamed = url
    this.#beatAt = Date.now()
    stream.addEventListener('beat', () => {
      this.#beatAt = Date.now()
    })
    stream.addEventListener('data', ({ data }: MessageEvent<string>) => {
      this.#beatAt = Date.now()
      const { watch, body } = JSON.parse(data) as { watch: string; body: unknown }
      this.#hear(watch, (entry) => ({ ...entry.known, body, problem: undefined, at: Date.now() }))
    })
    stream.addEventListener('problem', ({ data }: MessageEvent<string>) => {
      const { watch, problem } = JSON.parse(data) as { watch: string; problem: ProblemText }
      const { status, code, detail } = problem
      this.#hear(watch, (entry) => ({ ...entry.known, problem: new Problem(status, code, detail) }))
    })
    stream.onopen = () => {
      this.#isPolling = false
      for (const [address, entry] of this.#watched()) if (entry.known.problem) void this.#ask(address, entry)
      this.#judge()
    }
    stream.onerror = () => this.#stream === stream && this.#giveUp()
    // A proxy that gathers what passes would open it never.
    setTimeout(() => {
      if (this.#stream === stream && stream.readyState !== EventSource.OPEN) this.#giveUp()
    }, patienceMs)
  }

  /** Asks now and then instead, for a while. */
  #giveUp(): void {
    this.#close()
    this.#streamAfter = Date.now() + restMs
    this.#poll()
  }

  #hear(address: string, next: (entry: Entry) => Known): void {
    const entry = this.#entries.get(address)
    if (!entry) return
    entry.etag = undefined
    this.#tell(entry, next(entry))
  }

  #poll(): void {
    this.#isPolling = true
    this.#judge()
    this.#askAll()
    clearInterval(this.#polling)
    this.#polling = setInterval(() => {
      this.#askAll()
      if (Date.now() >= this.#streamAfter) this.#connect('change')
    }, pollMs)
  }

  #close(): void {
    clearInterval(this.#polling)
    this.#stream?.close()
    this.#stream = undefined
  }

  #setState(state: FeedState, problem: Problem | undefined): void {
    const message = problem?.message
    if (this.#state === state && this.#outage?.message === message) return
    this.#state = state
    this.#outage = message === undefined ? undefined : { message, since: this.#outage?.since ?? Date.now() }
    for (const listener of this.#stateListeners) listener()
  }
}

interface ProblemText {
  readonly status: number
  readonly code: string
  readonly detail: string
}

export const feed = new Feed()
