import type { BullBoardQueues } from '@bull-board/api/dist/types.js'
import { ActionRefused, type Actions } from './actions.js'
import { keyOf, type Route } from './offered.js'
import type { MakeQueue } from './queue.js'
import type { Readings } from './readings.js'
import { currentVisit } from './visit.js'

/** Puts a function that knows our queues behind a route of bull-board. */
export type Adapt = (route: Route) => Route

/** Each request sees the queues as they are read for it; what cannot be done is told in a sentence. */
export function adaptTo(readings: Readings, actions: Actions, createQueue: MakeQueue): Adapt {
  const instead = ourHandlers(actions)

  return (route) => {
    const handler = instead[keyOf(route)] ?? overOurQueues(route.handler)
    return { ...route, handler: (request) => toldWhyNot(() => handler(request)) }
  }

  function overOurQueues(handler: Handler): Handler {
    return async (request) =>
      handler(request && { ...request, queues: await readQueues(request.params.queueName) })
  }

  async function readQueues(name: string | undefined): Promise<BullBoardQueues> {
    const { statusBase, visitor } = currentVisit()
    const read = await readings.queues(name)
    return new Map(
      read.map((reading) => [reading.name, createQueue({ reading, actions, statusBase, visitor })] as const),
    )
  }
}

type Handler = Route['handler']
type Reply = Awaited<ReturnType<Handler>>

/** Routes whose own function would ask BullMQ, or would do more than people mean. */
function ourHandlers(actions: Actions): Readonly<Record<string, Handler>> {
  return {
    async 'put /api/queues/:queueName/retry/:queueStatus'(request) {
      if (request?.params.queueStatus !== 'failed') throw new ActionRefused('Only failed jobs are retried.')
      return { body: await actions.retryFailed(request.params.queueName) }
    },
    async 'get /api/queues/:queueName/:jobId/flow'(request) {
      return { body: { nodeId: request?.params.jobId, flowRoot: null, isFlowNode: false } }
    },
  }
}

async function toldWhyNot(answer: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await answer()
  } catch (error) {
    if (error instanceof ActionRefused) return { status: 409, body: notDone(error.message) }
    throw error
  }
}

/** In the form in which bull-board's pages show an error. */
export function notDone(message: string) {
  return { error: 'Not done', message }
}
