import { Agent, request } from 'node:http'

export interface Answer {
  /** Left out: there was none. */
  readonly status?: number
  readonly body?: unknown
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly tookMs: number
}

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly timeoutMs?: number
}

const agent = new Agent({ keepAlive: true, maxSockets: 200 })
const timeoutMs = 8000

/** One request. It never throws: no answer is an answer too. */
export function ask(url: string, options: Ask = {}): Promise<Answer> {
  const began = performance.now()
  const body = options.body === undefined ? undefined : JSON.stringify(options.body)
  const headers = {
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    ...options.headers,
  }
  return new Promise((resolve) => {
    const answer = (told: Omit<Answer, 'tookMs'>) => resolve({ ...told, tookMs: performance.now() - began })
    const asking = request(url, { method: options.method ?? 'GET', headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', () => answer({ headers: {} }))
      response.on('end', () =>
        answer({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(text) }),
      )
    })
    asking.on('error', () => answer({ headers: {} }))
    asking.setTimeout(options.timeoutMs ?? timeoutMs, () => asking.destroy())
    asking.end(body)
  })
}

export function closeClients(): void {
  agent.destroy()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
