import { toAgeRules } from '../job/retain.js'
import type { FinishedTask, PruneRule } from '../store/store.js'
import { jobs } from './count.js'
import type { Pass, PassContext, RetentionBook } from './maintain.js'
import { createOverfull } from './overfull.js'

const firstSize = 500
const largestSize = 4000
/** A statement that takes longer than this deletes fewer next time: rows may hold megabytes. */
const longStatementMs = 250

/** Deletes finished jobs that are older, or more, than their task keeps. Goes on in the next round while some are left. */
export function createPrunePass(): Pass {
  const overfull = createOverfull()

  return {
    name: 'prune',
    every: 20,
    isNeeded: () => true,
    async run(context) {
      const { store, retention, log } = context
      if (!retention.isKnown()) return returnTicket(context)
      await store.pruneWorkers()
      await store.pruneCommands()
      const tasks = (await store.finishedTasks()).filter((finished) => isOurs(finished, retention))
      let pruned: Pruning | undefined
      try {
        const tooOld = await store.dueRules(tasks.flatMap((finished) => rulesOf(finished, retention)))
        const tooMany = await overfull.find(
          store,
          tasks.flatMap((finished) => limitsOf(finished, retention)),
        )
        pruned = await pruneAll(context, [...tooOld, ...tooMany])
      } finally {
        if (!pruned?.isDone) overfull.forget()
      }
      const { deleted, isDone } = pruned
      if (!isDone) await returnTicket(context)
      if (deleted > 0) log.info(`Deleted ${jobs(deleted, 'finished job')} that had been kept long enough.`)
      return deleted
    },
  }
}

interface Pruning {
  readonly deleted: number
  readonly isDone: boolean
}

/** Another process that knows the task may have another rule for it. What nobody knows any more falls under ours. */
function isOurs({ task, isServed }: FinishedTask, retention: RetentionBook): boolean {
  return !isServed || retention.ofTask(task) !== undefined
}

function rulesOf({ task }: FinishedTask, retention: RetentionBook): PruneRule[] {
  return toAgeRules(retention.ofTask(task) ?? retention.ofOthers).map(({ ageMs, states }) => ({
    task,
    rule: `${states.join(' ')} ${ageMs}`,
    states,
    upTo: { ageMs },
  }))
}

function limitsOf({ task }: FinishedTask, retention: RetentionBook) {
  const { count } = retention.ofTask(task) ?? retention.ofOthers
  return count === null ? [] : [{ task, count }]
}

/** A little of each in turn, so that a busy task does not take all the time; and of each a little, however long the looking took. */
async function pruneAll({ store, hasTime }: PassContext, rules: readonly PruneRule[]): Promise<Pruning> {
  let open = rules.map((rule) => ({ rule, size: firstSize }))
  let deleted = 0
  while (open.length > 0) {
    const more: typeof open = []
    for (const { rule, size } of open) {
      const begun = performance.now()
      const pruned = await store.prune(rule, size)
      deleted += pruned.deleted
      if (!pruned.isDone) more.push({ rule, size: nextSize(size, performance.now() - begun) })
    }
    open = more
    if (open.length > 0 && !hasTime()) return { deleted, isDone: false }
  }
  return { deleted, isDone: true }
}

function nextSize(size: number, tookMs: number): number {
  return tookMs > longStatementMs ? Math.max(1, Math.floor(size / 2)) : Math.min(size * 2, largestSize)
}

async function returnTicket({ store }: PassContext): Promise<number> {
  await store.returnTicket('prune')
  return 0
}
