import type { ApiCall } from './call.js'

/** `GET /status`: how everything is, and what is wrong. */
export async function showStatus({ deps, query }: ApiCall) {
  query.only([])
  return deps.status()
}

/** `GET /queues`: what waits, since when, and who serves it. */
export async function listQueues({ deps, query }: ApiCall) {
  query.only([])
  const { store, queues } = await deps.status()
  // An empty list would say that there are none.
  if (store === 'down') await deps.backend().then((backend) => backend.store.knownQueues())
  return { queues }
}

/** `GET /tasks`: those that this process or a worker knows, and who runs them. */
export async function listTasks({ deps, query }: ApiCall) {
  query.only([])
  const [registry, known] = await Promise.all([deps.tasks(), deps.inspect.workers()])
  const live = known.filter(({ stoppedAt, lostAt }) => stoppedAt === null && lostAt === null)
  const names = new Set([...registry.names, ...live.flatMap(({ tasks }) => tasks)])
  return {
    tasks: [...names].sort().map((name) => ({
      name,
      /** Whether this process has its code. */
      isKnownHere: registry.find(name) !== undefined,
      workers: live.filter(({ tasks }) => tasks.includes(name)).map((worker) => worker.name),
    })),
  }
}
