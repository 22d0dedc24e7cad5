import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { callKeeper, type Greeting, type KeeperAddress, type News, readAddress, say } from './control.js'

const lookMs = 1000

/**
 * Where the keeper meets the processes of the app. It counts them, and tells each of them how the server is. Its
 * address in `keeper.json` is also what makes its keeper the only one.
 */
export class Desk {
  readonly #file: string
  readonly #address: KeeperAddress
  readonly #listener: Server
  readonly #callers = new Set<Socket>()
  #lingerMs: number
  #lingering: NodeJS.Timeout | undefined
  #news: News = { state: 'starting' }
  #onDeserted = () => {}
  #onAllLeft = () => {}

  /** Resolves when the server has been ready and nobody has been here for the linger time. */
  readonly deserted = new Promise<void>((resolve) => {
    this.#onDeserted = resolve
  })

  /** @returns `undefined` when another keeper lives */
  static async open(file: string, lingerMs: number): Promise<Desk | undefined> {
    const listener = createServer()
    const port = await listen(listener)
    const address: KeeperAddress = { pid: process.pid, port, word: secret(), answer: secret() }
    const desk = new Desk(file, address, listener, lingerMs)
    if (await publish(file, address)) return desk
    listener.close()
    return undefined
  }

  private constructor(file: string, address: KeeperAddress, listener: Server, lingerMs: number) {
    this.#file = file
    this.#address = address
    this.#listener = listener
    this.#lingerMs = lingerMs
    listener.on('connection', (socket) => this.#receive(socket))
  }

  /** Says the news to all callers, and to each later one as the first thing. */
  tell(news: News): void {
    this.#news = news
    for (const caller of this.#callers) say(caller, news)
    this.#lingerIfAlone()
  }

  /** Who `keeper.json` names: this keeper, another, or, where somebody deleted it, none. */
  holder(): 'this' | 'other' | 'none' {
    const address = readAddress(this.#file)
    if (!address) return 'none'
    return address.word === this.#address.word ? 'this' : 'other'
  }

  /** Resolves when `keeper.json` no longer names this keeper. */
  replaced(): Promise<void> {
    return new Promise((resolve) => {
      setInterval(() => {
        if (this.holder() !== 'this') resolve()
      }, lookMs).unref()
    })
  }

  /** Resolves when the last caller leaves. Where none is here, when one has come and gone. */
  allLeft(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAllLeft = resolve
    })
  }

  close(): void {
    if (this.holder() === 'this') rmSync(this.#file, { force: true })
    this.#listener.close()
    for (const caller of this.#callers) caller.destroy()
  }

  #receive(socket: Socket): void {
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    const lines = createInterface({ input: socket })
    lines.on('error', () => socket.destroy())
    lines.once('line', (line) => {
      const greeting = parseGreeting(line)
      if (greeting?.word !== this.#address.word) {
        socket.destroy()
        return
      }
      say(socket, { ...this.#news, answer: this.#address.answer })
      if (greeting.lingerMs !== undefined) this.#admit(socket, greeting.lingerMs)
    })
  }

  #admit(socket: Socket, lingerMs: number): void {
    this.#lingerMs = lingerMs
    this.#callers.add(socket)
    clearTimeout(this.#lingering)
    socket.once('close', () => {
      this.#callers.delete(socket)
      this.#lingerIfAlone()
      if (this.#callers.size === 0) this.#onAllLeft()
    })
  }

  #lingerIfAlone(): void {
    clearTimeout(this.#lingering)
    if (this.#callers.size > 0 || this.#news.state !== 'ready') return
    this.#lingering = setTimeout(() => {
      this.tell({ state: 'gone', message: 'The private PostgreSQL stops: no process needs it.' })
      this.#onDeserted()
    }, this.#lingerMs)
  }
}

/**
 * Puts the address where callers look for it, unless a keeper that lives is there. A dead one's is moved aside first,
 * and only what was seen to be dead is: two keepers that find the same dead one cannot both win.
 */
async function publish(file: string, address: KeeperAddress): Promise<boolean> {
  const draft = `${file}.${address.pid}`
  writeFileSync(draft, JSON.stringify(address), { mode: 0o600 })
  try {
    while (!linked(draft, file)) {
      const seen = readText(file)
      if (await lives(file)) return false
      removeIfStill(file, seen)
    }
    return true
  } finally {
    rmSync(draft, { force: true })
  }
}

async function lives(file: string): Promise<boolean> {
  const line = await callKeeper(file, () => {})
  line?.hangUp()
  return line !== undefined
}

function removeIfStill(file: string, seen: string | undefined): void {
  const aside = `${file}.${process.pid}.aside`
  try {
    renameSync(file, aside)
    if (readText(aside) !== seen) linked(aside, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  rmSync(aside, { force: true })
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function listen(listener: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
}

function parseGreeting(line: string): Greeting | undefined {
  try {
    return JSON.parse(line) as Greeting
  } catch {
    return undefined
  }
}

function secret(): string {
  return randomBytes(18).toString('base64url')
}
