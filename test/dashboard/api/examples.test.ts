import { afterAll, beforeAll, expect, test } from 'vitest'
import { routeNames } from '../../../src/dashboard/api/api.js'
import { freshServers } from '../../support/lab.js'
import { openShowroom, type Showroom } from '../pages/showroom.js'
import { faultsIn } from './described.js'
import { type Examples, recordExamples, writeExamples } from './examples.js'
import { byHeader, portOf } from './scene.js'

let room: Showroom
let examples: Examples
const ends: (() => void)[] = []

beforeAll(async () => {
  room = await openShowroom(await freshServers('redis'), {
    authorize: byHeader,
    onEnd: (end) => void ends.push(end),
  })
  const filled = await room.fill()
  examples = await recordExamples({ port: portOf(room.url), url: room.url, filled })
  // npm run examples
  if (process.env.RECORD_EXAMPLES) writeExamples(examples)
}, 300_000)

afterAll(async () => {
  for (const end of ends) end()
  await room?.close()
})

const mediaTypes = new Map([
  ['GET /job-export', 'text/csv'],
  ['GET /live', 'text/event-stream'],
])

// As they are recorded now, with a running company: what stands in the file is held to the same in open-api.test.ts.
test.each(routeNames)('an example of %s can be had, and is as it is described', (name) => {
  expect(faultsIn(name, examples[name]?.answer, mediaTypes.get(name))).toEqual([])
})
