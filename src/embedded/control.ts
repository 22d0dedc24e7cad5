import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

/**
 * How a process of the app speaks with the keeper of the private server: one socket on the loopback, held open for as
 * long as the process wants the server. The operating system closes it when the process dies, however it dies.
 */

/** What stands in `keeper.json`: where the keeper listens, and the words by which the two know each other. */
export interface KeeperAddress {
  readonly pid: number
  readonly port: number
  /** What a caller says first. */
  readonly word: string
  /** What the keeper answers, so that no stranger who took over the port can pass for it. */
  readonly answer: string
}

/** What a caller says, in one line of JSON. */
export interface Greeting {
  readonly word: string
  /** How long the server stays after its last caller. Unsaid: the caller only asks whether the keeper lives. */
  readonly lingerMs?: number
}

/** What the keeper says, in one line of JSON for each change, and the present state as its first. */
export type News =
  | { readonly state: 'starting' }
  | { readonly state: 'preparing'; readonly place: string; readonly reason?: string | undefined }
  | { readonly state: 'ready'; readonly url: string }
  | { readonly state: 'failed'; readonly message: string }
  /** The server stops or has died. Whoever needs it waits for the hang-up and starts anew. */
  | { readonly state: 'gone'; readonly message: string }

export interface Line {
  readonly keeperPid: number
  readonly closed: Promise<void>
  /** Lets the process end although the line is open. */
  unref(): void
  hangUp(): void
}

const answerWithinMs = 2000

/**
 * Calls the keeper that `addressFile` names. Gives `undefined` when there is none, or none that answers.
 * @param options.lingerMs unsaid: only to see whether it lives
 * @param options.ref whether the call keeps the process alive
 */
export async function callKeeper(
  addressFile: string,
  onNews: (news: News, keeperPid: number) => void,
  options: { readonly lingerMs?: number; readonly ref: boolean } = { ref: true },
): Promise<Line | undefined> {
  const address = readAddress(addressFile)
  if (!address) return undefined
  const socket = connect({ host: '127.0.0.1', port: address.port, noDelay: true })
  if (!options.ref) socket.unref()
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.once('connect', () => greet(socket, address, options.lingerMs))
  const answered = await listen(socket, address, (news) => onNews(news, address.pid))
  if (!answered) {
    socket.destroy()
    return undefined
  }
  return { keeperPid: address.pid, closed, unref: () => socket.unref(), hangUp: () => socket.destroy() }
}

/** What `keeper.json` says now; `undefined` when there is none or it cannot be read as one. */
export function readAddress(file: string): KeeperAddress | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as KeeperAddress
  } catch {
    return undefined
  }
}

export function say(socket: Socket, words: Greeting | (News & { answer?: string })): void {
  socket.write(`${JSON.stringify(words)}\n`)
}

function greet(socket: Socket, { word }: KeeperAddress, lingerMs: number | undefined): void {
  say(socket, lingerMs === undefined ? { word } : { word, lingerMs })
}

/** Resolves with whether the other side is the keeper; what it says goes to `onNews`. */
function listen(socket: Socket, address: KeeperAddress, onNews: (news: News) => void): Promise<boolean> {
  return new Promise((resolve) => {
    let known = false
    const timer = setTimeout(() => socket.destroy(), answerWithinMs)
    const lines = createInterface({ input: socket })
    lines.on('line', (line) => {
      const news = parseNews(line)
      known ||= news?.answer === address.answer
      if (!known || !news) {
        socket.destroy()
        return
      }
      onNews(news)
      clearTimeout(timer)
      resolve(true)
    })
    lines.on('error', () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}

function parseNews(line: string): (News & { answer?: string }) | undefined {
  try {
    return JSON.parse(line) as News & { answer?: string }
  } catch {
    return undefined
  }
}
