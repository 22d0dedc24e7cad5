import autocannon from 'autocannon'
import { answer } from './answer.js'

const connections = 100

/** Posts the same small JSON again and again over a hundred connections. */
const operations = {
  async post(url: string, seconds: number) {
    const result = await autocannon({
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ month: '2026-11' }),
      connections,
      duration: seconds,
    })
    if (result.non2xx + result.errors + result.timeouts > 0) {
      throw new Error(
        `${url} answered ${result.non2xx} requests with an error, and ${result.errors} not at all.`,
      )
    }
    return { accepted: result['2xx'], perSecond: result['2xx'] / result.duration, latency: result.latency }
  },
}

export type Operations = typeof operations
answer(operations)
