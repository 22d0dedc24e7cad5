import { jobs } from './count.js'
import type { Pass } from './maintain.js'

/** Goes on with what somebody had begun to do with many jobs, in a process that has died or was stopped. */
export const operationsPass: Pass = {
  name: 'operations',
  every: 1,
  isNeeded: ({ work }) => work.operations,
  async run({ takeUp, hasTime, log }) {
    const taken = await takeUp(hasTime)
    if (taken > 0) log.info(`Went on with ${jobs(taken, 'operation')} whose process is gone.`)
    return taken
  },
}
