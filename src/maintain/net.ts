import type { Pass } from './maintain.js'
import { start, walkOn } from './walk.js'

const atOnce = 1000

/** The last net: walks slowly through all that waits, again and again, and sends it once more, in case. */
export const netPass: Pass = {
  name: 'net',
  every: 5,
  isNeeded: ({ work, walks }) => work.open && !walks.some(({ name }) => name === 'repair'),
  async run(context, { walks }) {
    const cursor = walks.find(({ name }) => name === 'net')?.cursor ?? start
    const done = await walkOn(context, { after: cursor, since: null, limit: atOnce })
    if (done) await context.store.saveWalk({ name: 'net', since: null, cursor: done.next ?? start })
    // The broker does not say which of them it had lost.
    return 0
  },
}
