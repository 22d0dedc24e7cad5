import { connect, createServer, type Server, type Socket } from 'node:net'

/** What happens to what passes between a client and its server. */
export type ProxyMode =
  | 'pass'
  /** Open connections stay open and nothing passes in them, as when a firewall forgot them; new ones pass. */
  | 'silent-open'
  /** Nothing passes, in open connections and in new ones, and none closes, as when the other machine is gone. */
  | 'silent'
  /** New connections are closed at once, and open ones end. */
  | 'refuse'
  /** Each byte travels alone. */
  | 'slice'
  | { readonly delayMs: number; readonly jitterMs?: number }
  | { readonly bytesPerSecond: number }
  /** A connection is reset once so many bytes have passed in it, to both sides together. */
  | { readonly cutAfterBytes: number }

/** Stands between a client and its server, and can do to their connections what networks do. */
export interface TcpProxy {
  /** The server's URL, through the proxy. */
  readonly url: string
  /** Connections that the client has not closed. */
  connections(): number
  /** From now on. Any mode but a silent one resets the connections that were silent: what was lost in them is lost. */
  set(mode: ProxyMode): void
  /** As `silent-open`, for one of the open connections: the oldest is 0. */
  silence(nth: number): void
  /** Resets every open connection. */
  reset(): void
  close(): Promise<void>
}

export interface ProxyOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Where jitter comes from. Default `Math.random`. */
  readonly random?: () => number
}

/** One connection: the two sockets and what has become of it. */
interface Pair {
  readonly client: Socket
  readonly upstream: Socket
  silent: boolean
  bytes: number
}

export async function createProxy(target: string, options: ProxyOptions = {}): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const random = options.random ?? Math.random
  const pairs = new Set<Pair>()
  let mode: ProxyMode = 'pass'
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
  await listen(server, options.port ?? 0)
  const address = server.address()
  const url = new URL(target)
  url.port = String(typeof address === 'object' ? address?.port : '')

  return {
    url: url.href,
    connections: () => pairs.size,
    set,
    silence(nth) {
      const pair = [...pairs][nth]
      if (pair) pair.silent = true
    },
    reset,
    async close() {
      for (const pair of pairs) destroy(pair)
      await new Promise((resolve) => server.close(resolve))
    },
  }

  function accept(client: Socket): void {
    client.on('error', () => {})
    if (mode === 'refuse') {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ port: Number(port), host: hostname, noDelay: true, allowHalfOpen: true })
    const pair: Pair = { client, upstream, silent: mode === 'silent', bytes: 0 }
    pairs.add(pair)
    carry(pair, client, upstream)
    carry(pair, upstream, client)
    client.once('close', () => pairs.delete(pair))
  }

  function set(next: ProxyMode): void {
    const isSilent = next === 'silent' || next === 'silent-open'
    mode = next
    for (const pair of pairs) {
      if (isSilent) pair.silent = true
      else if (pair.silent) resetPair(pair)
    }
    if (next === 'refuse') reset()
  }

  function reset(): void {
    for (const pair of pairs) resetPair(pair)
  }

  function carry(pair: Pair, from: Socket, to: Socket): void {
    const send = inOrder((chunk: Buffer) => pass(pair, to, chunk))
    from.on('error', () => {})
    from.on('data', (chunk) => {
      if (pair.silent) return
      if (mode === 'pass' && send.idle()) to.write(chunk)
      else send(chunk)
    })
    from.on('end', () => pair.silent || send.after(() => to.end()))
    // A side that ended, or broke, is gone for the other one too.
    from.on('close', (broken) => {
      if (pair.silent) return
      if (broken) to.resetAndDestroy()
      else send.after(() => to.destroy())
    })
  }

  async function pass(pair: Pair, to: Socket, chunk: Buffer): Promise<void> {
    if (typeof mode === 'object' && 'delayMs' in mode) {
      await sleep(Math.max(0, mode.delayMs + (mode.jitterMs ?? 0) * (2 * random() - 1)))
    } else if (typeof mode === 'object' && 'bytesPerSecond' in mode) {
      await sleep((chunk.length * 1000) / mode.bytesPerSecond)
    } else if (typeof mode === 'object') {
      pair.bytes += chunk.length
      if (pair.bytes > mode.cutAfterBytes) return resetPair(pair)
    }
    if (pair.silent || to.destroyed) return
    if (mode !== 'slice') to.write(chunk)
    else for (let at = 0; at < chunk.length; at += 1) await written(to, chunk.subarray(at, at + 1))
  }
}

interface InOrder {
  (chunk: Buffer): void
  /** Once all that came before has been sent. */
  after(last: () => void): void
  idle(): boolean
}

/** Does one after the other, however long each takes. */
function inOrder(work: (chunk: Buffer) => Promise<void>): InOrder {
  let pending = 0
  let last: Promise<void> = Promise.resolve()
  const add = (step: () => Promise<void> | void) => {
    pending += 1
    last = last
      .then(step)
      .catch(() => {})
      .then(() => {
        pending -= 1
      })
  }
  return Object.assign((chunk: Buffer) => add(() => work(chunk)), {
    after: (step: () => void) => (pending === 0 ? step() : add(step)),
    idle: () => pending === 0,
  })
}

function resetPair({ client, upstream }: Pair): void {
  client.resetAndDestroy()
  upstream.resetAndDestroy()
}

function destroy({ client, upstream }: Pair): void {
  client.destroy()
  upstream.destroy()
}

function written(to: Socket, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    to.write(chunk, () => resolve())
  })
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}
