import { bulkRight } from '../../control/access.js'
import { handOptions } from '../../control/by-hand.js'
import { longestDeadlineMs } from './call.js'
import { listCommands, resumeOperation, showCommand, stopOperation } from './commands.js'
import type { RouteName } from './contract.js'
import { enqueueByHand } from './enqueue.js'
import { exportJobs } from './export.js'
import { longestWait, showJob, showLogs, showResult } from './job.js'
import { retryJob, revealJob } from './job-actions.js'
import { actOnJobs, countJobs, listJobs } from './jobs.js'
import { openLive } from './live.js'
import { showDescription, showMe } from './me.js'
import { actionOfVerb, giveOrder } from './orders.js'
import { showOverview, showStatus } from './overview.js'
import { count, duration, oneOf, someOf, text, texts, whole } from './query.js'
import { askQuestion } from './questions.js'
import { listQueues, showQueue } from './queues.js'
import { ranges } from './ranges.js'
import { type Route, toPattern } from './route.js'
import { jobStates } from './states.js'
import { showSystem } from './system.js'
import { showErrors } from './task-errors.js'
import { listTasks, showTask } from './tasks.js'
import { showVocabulary } from './vocabulary.js'
import { listWorkers, showWorker, workerStates } from './workers.js'

const range = { range: oneOf(...ranges) }
/** A million of them for each attempt. */
const lineNumber = count(0, Number.MAX_SAFE_INTEGER)

const ofJobs = {
  ...{ query: text, id: texts, state: someOf(...jobStates), task: texts, queue: texts, worker: texts },
  ...{ owner: texts, tag: texts, parent: text, createdAfter: text, createdBefore: text, startedAfter: text },
  ...{ startedBefore: text, finishedAfter: text, finishedBefore: text, minDuration: text, maxDuration: text },
  ...{ minAttempts: count(1, 1_000_000), errorName: text, error: text, text },
}

/** The whole management API. HEAD is answered as GET, without the body. */
export const routes: { readonly [Name in RouteName]: Route<Name> } = {
  'GET /me': { action: 'view', query: {}, answer: showMe },
  'GET /openapi.json': { action: 'view', query: {}, answer: showDescription },
  'GET /status': { action: 'view', query: {}, read: showStatus },
  'GET /live': { action: 'view', query: { watch: whole }, stream: openLive },
  'GET /overview': { action: 'view', query: range, read: showOverview },
  'GET /tasks': { action: 'view', query: range, read: listTasks },
  'GET /tasks/:name': { action: 'view', query: range, read: showTask },
  'GET /tasks/:name/errors': { action: 'view', query: range, read: showErrors },
  'POST /tasks/:name/enqueue': {
    action: 'task.enqueue',
    query: { wait: count(0, longestWait) },
    body: ['payload', ...handOptions],
    hasPayload: true,
    answer: enqueueByHand,
  },
  'GET /queues': { action: 'view', query: range, read: listQueues },
  'GET /queues/:name': { action: 'view', query: range, read: showQueue },
  'GET /workers': { action: 'view', query: { state: oneOf(...workerStates) }, read: listWorkers },
  'GET /workers/:id': { action: 'view', query: range, read: showWorker },
  'GET /system': { action: 'view', query: {}, read: showSystem },
  'GET /inspect/:question': {
    action: 'view',
    query: { workers: texts, deadline: duration(longestDeadlineMs) },
    answer: askQuestion,
  },
  'POST /control/:verb': {
    action: ({ verb }) => actionOfVerb(verb),
    query: {},
    body: 'any',
    answer: giveOrder,
  },
  'GET /commands': {
    action: 'view',
    query: { limit: count(1, 1000), before: text, verb: text, by: text, from: text, since: text },
    read: listCommands,
  },
  'GET /commands/:id': { action: 'view', query: {}, read: showCommand },
  'POST /commands/:id/stop': { action: 'operation.stop', query: {}, answer: stopOperation },
  'POST /commands/:id/resume': { action: 'operation.stop', query: {}, answer: resumeOperation },
  'GET /jobs': {
    action: 'view',
    query: {
      ...ofJobs,
      ...{ limit: count(1, 1000), cursor: text, sort: oneOf('newest', 'oldest') },
      values: oneOf('full', 'short'),
    },
    read: listJobs,
  },
  'GET /job-count': { action: 'view', query: { ...ofJobs, most: count(1, 1_000_000) }, read: countJobs },
  'GET /job-export': {
    action: 'job.export',
    query: { ...ofJobs, format: oneOf('csv', 'jsonl'), columns: text },
    stream: exportJobs,
  },
  'GET /vocabulary': { action: 'view', query: {}, read: showVocabulary },
  'GET /jobs/:id': { action: 'view', query: {}, read: showJob },
  'GET /jobs/:id/result': { action: 'view', query: { wait: count(0, longestWait) }, answer: showResult },
  'GET /jobs/:id/logs': {
    action: 'view',
    query: { after: lineNumber, before: lineNumber, limit: count(1, 1000) },
    read: showLogs,
  },
  'POST /jobs/:id/retry': {
    action: 'job.retry',
    query: {},
    body: ['payload'],
    hasPayload: true,
    answer: retryJob,
  },
  'POST /jobs/:id/reveal': { action: 'job.reveal', query: {}, answer: revealJob },
  'POST /jobs/:action': {
    action: ({ action }) => bulkRight(action),
    query: {},
    body: ['ids', 'filter', 'reason', 'queue', 'priority'],
    answer: actOnJobs,
  },
}

export const routeNames = Object.keys(routes) as RouteName[]
/** By method and path. */
export const patterns = routeNames.map(toPattern)
