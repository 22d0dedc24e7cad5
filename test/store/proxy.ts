import { connect, createServer, type Socket } from 'node:net'

/** Stands between a client and its server, and can make every connection half-open. */
export interface SilentProxy {
  /** The server's URL, through the proxy. */
  readonly url: string
  connections(): number
  /** From now on nothing passes, in open connections and new ones, and no connection closes. */
  fallSilent(): void
  speak(): void
  close(): Promise<void>
}

export async function createProxy(target: string): Promise<SilentProxy> {
  const { hostname, port } = new URL(target)
  const pairs = new Set<readonly Socket[]>()
  let silent = false
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect(Number(port), hostname)
    const pair = [client, upstream]
    pairs.add(pair)
    pass(client, upstream)
    pass(upstream, client)
    client.once('close', () => pairs.delete(pair))
  })
  function pass(from: Socket, to: Socket): void {
    from.on('error', () => {})
    from.on('data', (chunk) => silent || to.write(chunk))
    from.on('end', () => silent || to.end())
    from.on('close', () => silent || to.destroy())
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(target)
  url.port = String(typeof address === 'object' ? address?.port : '')
  return {
    url: url.href,
    connections: () => pairs.size,
    fallSilent: () => {
      silent = true
    },
    speak: () => {
      silent = false
    },
    close: async () => {
      for (const socket of [...pairs].flat()) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
