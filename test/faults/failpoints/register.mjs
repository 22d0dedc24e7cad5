// Given to `node --import`: loads files with failpoints in place of the built ones, and says what happens at a point.
import { appendFileSync, readFileSync, writeSync } from 'node:fs'
import { register } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'

const { CELERIAC_FAILPOINT, CELERIAC_FAILPOINT_FILES, CELERIAC_FAILPOINT_RECORD: record } = process.env

/** How often each side of each point was passed. */
const passes = new Map()
/** By side, then by passing: what is to happen. */
const armed = readArmed(CELERIAC_FAILPOINT)
let pauseMs = 0

if (isMainThread && CELERIAC_FAILPOINT_FILES !== undefined) {
  globalThis.__failpoint = { at, held, pass, each }
  register('./hooks.mjs', import.meta.url, {
    data: JSON.parse(readFileSync(CELERIAC_FAILPOINT_FILES, 'utf8')),
  })
}

/** Notes one passing. `true`: wait for `held()` first. */
function at(side) {
  const count = (passes.get(side) ?? 0) + 1
  passes.set(side, count)
  const action = armed.get(side)?.get(count)
  if (record !== undefined && (action || (count & (count - 1)) === 0))
    appendFileSync(
      record,
      `${JSON.stringify({ at: side, pass: count, pid: process.pid, ...(action ? { fired: true } : {}) })}\n`,
    )
  return action !== undefined && fire(side, action)
}

function fire(side, action) {
  tell(`Failpoint ${side}: ${action}\n`)
  if (action === 'kill') {
    process.kill(process.pid, 'SIGKILL')
    // Not one instruction more, should the signal take a moment.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
  if (action === 'throw') throw Object.assign(new Error(`Failpoint ${side}`), { name: 'FailpointError' })
  pauseMs = Number(action.slice('pause:'.length))
  return true
}

/** Called at once after `at` has said so: nothing else can have been armed in between. */
function held() {
  return sleep(pauseMs)
}

function pass(_before, value) {
  return value
}

/** The steps of a `for await`: each `next` is an await. */
function each(point, iterable) {
  const isAsync = iterable[Symbol.asyncIterator] !== undefined
  const steps = isAsync ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]()
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (at(`${point}:before`)) await held()
      const step = await steps.next()
      const told = isAsync || step.done ? step : { done: false, value: await step.value }
      if (at(`${point}:after`)) await held()
      return told
    },
    async return(value) {
      return (await steps.return?.(value)) ?? { done: true, value }
    },
  }
}

function tell(line) {
  try {
    writeSync(2, line)
  } catch {
    // Nobody reads it, or not quickly enough.
  }
}

function readArmed(text = '') {
  const sides = new Map()
  for (const each of text.split(',').filter((each) => each !== '')) {
    const match = /^(.+:(?:before|after))(?:@([1-9]\d*))?(?:=(kill|throw|pause:\d+))?$/.exec(each)
    if (!match) throw new Error(`Not a failpoint: ${each}`)
    const [, side, count = '1', action = 'kill'] = match
    if (!sides.has(side)) sides.set(side, new Map())
    sides.get(side).set(Number(count), action)
  }
  return sides
}
