import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A proxy that speaks TLS to browsers, and gives each request to the next of the servers behind it. */
export interface RoundRobin {
  readonly url: string
  /** Their ports; may be changed at any time. */
  servers: readonly number[]
  /** How many requests each port got. */
  readonly served: ReadonlyMap<number, number>
  close(): Promise<void>
}

export async function openRoundRobin(): Promise<RoundRobin> {
  const served = new Map<number, number>()
  let turn = 0
  const proxy = createServer(makeCertificate(), (req, res) => {
    turn += 1
    const port = self.servers[turn % self.servers.length] ?? 0
    served.set(port, (served.get(port) ?? 0) + 1)
    const headers = { ...req.headers, 'x-forwarded-for': req.socket.remoteAddress ?? '' }
    const onward = request(
      { host: '127.0.0.1', port, path: req.url, method: req.method, headers },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(res)
      },
    )
    onward.on('error', () => res.destroy())
    res.on('close', () => onward.destroy())
    req.pipe(onward)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const self: RoundRobin = {
    url: `https://localhost:${(proxy.address() as AddressInfo).port}`,
    servers: [],
    served,
    close: () =>
      new Promise((resolve) => {
        proxy.close(() => resolve())
        proxy.closeAllConnections()
      }),
  }
  return self
}

/** For a day, of nobody's trust. */
export function makeCertificate(): { readonly cert: Buffer; readonly key: Buffer } {
  const { cert, key } = certificateFiles()
  return { cert: readFileSync(cert), key: readFileSync(key) }
}

export function certificateFiles(): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-tls-'))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', '/CN=localhost', '-keyout', key, '-out', cert],
  ])
  return { cert, key }
}
