import { connect, createServer, type Socket } from 'node:net'

/** What a pooler in transaction mode does: all clients share one session, each for the length of a transaction. */
export interface Pooler {
  readonly url: string
  close(): Promise<void>
}

/** @param target must let its user in without a password */
export async function createPooler(target: string): Promise<Pooler> {
  const { hostname, port, username, pathname } = new URL(target)
  const upstream = connect({ host: hostname, port: Number(port) })
  const clients = new Set<Socket>()
  const queue: { readonly client: Socket; readonly message: Buffer }[] = []
  let owner: Socket | undefined
  upstream.write(startup({ user: username, database: pathname.slice(1), application_name: 'pooler' }))
  await new Promise<void>((resolve) => {
    let ready = false
    upstream.on(
      'data',
      byMessage((message) => {
        if (ready) owner?.write(message)
        if (message[0] !== code('Z')) return
        if (!ready) resolve()
        ready = true
        if (message[5] === code('I')) release()
      }),
    )
  })

  const server = createServer((client) => {
    clients.add(client)
    client.on('error', () => {})
    client.on('close', () => clients.delete(client))
    client.once('data', () => {
      client.write(greeting)
      client.on(
        'data',
        byMessage((message) => {
          if (message[0] !== code('X')) send(client, message)
        }),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  const address = server.address()
  url.port = String(typeof address === 'object' ? address?.port : '')

  return {
    url: url.href,
    async close() {
      for (const socket of [...clients, upstream]) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }

  function send(client: Socket, message: Buffer): void {
    owner ??= client
    if (owner === client) upstream.write(message)
    else queue.push({ client, message })
  }

  function release(): void {
    const [next] = queue
    owner = next?.client
    for (const { message } of queue.filter(({ client }) => client === owner)) upstream.write(message)
    const left = queue.filter(({ client }) => client !== owner)
    queue.splice(0, queue.length, ...left)
  }
}

const code = (letter: string) => letter.charCodeAt(0)

/** Login is done, and the session is free. */
const greeting = Buffer.concat([
  Buffer.from([code('R'), 0, 0, 0, 8, 0, 0, 0, 0]),
  Buffer.from([code('K'), 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 1]),
  Buffer.from([code('Z'), 0, 0, 0, 5, code('I')]),
])

function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('')
  const head = Buffer.alloc(8)
  head.writeInt32BE(8 + text.length + 1, 0)
  head.writeInt32BE(196_608, 4)
  return Buffer.concat([head, Buffer.from(`${text}\0`)])
}

/** One letter, four bytes of length, and what they say. */
function byMessage(hear: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const length = rest.readInt32BE(1) + 1
      hear(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  }
}
