import type { Pass } from './maintain.js'
import { start, walkOn } from './walk.js'

const atOnce = 1000

/** The last net: walks slowly through all that waits, again and again, and sends it once more, in case. */
export const netPass: Pass = {
  name: 'net',
  every: 2,
  // Whole queues are the stuck pass's, which tells of them: it must not find them repaired without a word.
  isNeeded: ({ work, walks, due }) =>
    work.open && !due.includes('stuck') && !walks.some(({ name }) => name === 'repair'),
  async run(context, { walks }) {
    const { store } = context
    const walk = walks.find(({ name }) => name === 'net')
    const done = await walkOn(context, { after: walk?.cursor ?? start, since: null, limit: atOnce })
    const next = done?.next ?? start
    if (done && walk) await store.moveWalk(walk, next)
    else if (done) await store.beginWalk({ name: 'net', since: null, cursor: next })
    // The broker does not say which of them it had lost.
    return 0
  },
}
