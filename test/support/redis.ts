import { access, mkdir, mkdtemp } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { RedisBinary } from 'redis-memory-server'
import { scratchFolder } from './scratch.js'
import { freePort, startServer, type TestServer } from './server.js'

export interface RedisServerOptions {
  readonly port?: number
  /** Writes every command to disk before it answers. Default `true`. */
  readonly durable?: boolean
  /** A data folder to keep: what is in it is loaded. Default: a new one, which goes with the process. */
  readonly data?: string
  /** More words for the command line. */
  readonly args?: readonly string[]
}

/** Starts a Redis of our own, with 4,096 databases. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<TestServer> {
  const file = await redisBinary()
  const port = options.port ?? (await freePort())
  const data = options.data ?? (await mkdtemp(join(scratchFolder(), 'redis-')))
  await mkdir(data, { recursive: true })
  const durable = options.durable ?? true
  return startServer(`redis://127.0.0.1:${port}`, port, {
    file,
    args: [
      ...['--bind', '127.0.0.1', '--port', String(port), '--dir', data, '--databases', '4096', '--save', ''],
      ...(durable ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : ['--appendonly', 'no']),
      ...(options.args ?? []),
    ],
    ready: 'Ready to accept connections',
    mark: `:${port}`,
    stopSignal: 'SIGTERM',
  })
}

/** The machine's own `redis-server`; where there is none, one is downloaded and built. */
async function redisBinary(): Promise<string> {
  const found = await onPath('redis-server')
  if (found !== undefined) return found
  try {
    return await RedisBinary.getPath()
  } catch (cause) {
    throw new Error(
      'The tests need a Redis server. There is no redis-server on the PATH, and one could not be downloaded and built. ' +
        'Install redis-server (apt-get install redis-server, brew install redis) or allow the network.',
      { cause },
    )
  }
}

async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name)
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file
  }
  return undefined
}
