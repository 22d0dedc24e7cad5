import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { onTestFinished } from 'vitest'
import { until } from '../support/until.js'

/** One event, as its lines said it. */
export interface ServerSent {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

/** A client of Server-Sent Events that shows what really came. */
export interface EventClient {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly events: readonly ServerSent[]
  /** All that came, comments included. */
  readonly text: string
  readonly hasEnded: boolean
  /** Waits for the first event of this kind that `matches`. */
  sees(event: string, matches?: (data: never) => boolean): Promise<ServerSent>
  /** Waits until the server has ended the stream. */
  ended(): Promise<readonly ServerSent[]>
  /** Takes nothing more from the socket. */
  pause(): void
  resume(): void
  leave(): void
}

export function listen(url: string, headers: Record<string, string> = {}): Promise<EventClient> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { Accept: 'text/event-stream', ...headers } }, (answer) =>
      resolve(read(asked, answer)),
    )
    asked.once('error', reject)
    asked.end()
  })
}

function read(asked: ClientRequest, answer: IncomingMessage): EventClient {
  let text = ''
  let hasEnded = false
  answer.setEncoding('utf8')
  answer.on('data', (chunk: string) => {
    text += chunk
  })
  answer.once('close', () => {
    hasEnded = true
  })
  answer.on('error', () => {})
  onTestFinished(() => void asked.destroy())
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    get events() {
      return parse(text)
    },
    get text() {
      return text
    },
    get hasEnded() {
      return hasEnded
    },
    async sees(event, matches = () => true) {
      const find = () => parse(text).find((each) => each.event === event && matches(each.data as never))
      const seen = await until(find)
      return seen as ServerSent
    },
    async ended() {
      await until(() => hasEnded)
      return parse(text)
    },
    pause: () => void answer.pause(),
    resume: () => void answer.resume(),
    leave: () => void asked.destroy(),
  }
}

/** As the standard has it: an event ends with an empty line; what is without data is none. */
function parse(text: string): ServerSent[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => new Map(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string])))
    .filter((fields) => fields.has('data'))
    .map((fields) => ({
      id: fields.get('id') ?? '',
      event: fields.get('event') ?? 'message',
      data: JSON.parse(fields.get('data') ?? 'null') as unknown,
    }))
}
