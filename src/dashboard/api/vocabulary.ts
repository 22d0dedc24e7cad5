import type { Vocabulary } from './contract.js'
import type { Reading } from './route.js'

/** `GET /vocabulary`: names that filters may take. What code and configuration name is there before its first job. */
export async function showVocabulary({ deps }: Reading<'GET /vocabulary'>): Promise<Vocabulary> {
  const [{ store }, registry] = await Promise.all([deps.backend(), deps.tasks()])
  const { tasks, queues, workers, tags, owners, errors } = await store.vocabulary()
  const own = registry.names.map((name) => deps.describe(registry.get(name)).queue)
  return {
    tasks: joined(tasks, registry.names),
    queues: joined(queues, own),
    ...{ workers, tags, owners, errors },
  }
}

/** Those that the store knows first. */
function joined(known: readonly string[], others: readonly string[]): string[] {
  return [...new Set([...known, ...[...others].sort()])]
}
