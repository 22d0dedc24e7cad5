import { emitKeypressEvents, type Key } from 'node:readline'
import { createLogUpdate } from 'log-update'
import type { App } from '../../app.js'
import { currentUser } from '../kit.js'
import { drawFrame, firstView, type Sort, sortedQueues, sorts, type View } from './frame.js'
import type { Sample } from './sample.js'

export interface ScreenDeps {
  readonly app: Pick<App, 'control'>
  readonly look: () => Promise<Sample>
  readonly everyMs: number
}

const ownScreen = '\u001b[?1049h'
const formerScreen = '\u001b[?1049l'
const home = '\u001b[H\u001b[2J'

/** Draws until somebody ends it, then leaves the terminal as it was. */
export async function runScreen({ app, look, everyMs }: ScreenDeps): Promise<void> {
  const { stdin, stdout } = process
  const update = createLogUpdate(stdout)
  let view: View = firstView
  let sample: Sample | undefined
  let asked: { readonly queue: string; readonly paused: boolean } | undefined
  let end: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })

  stdout.write(ownScreen)
  emitKeypressEvents(stdin)
  stdin.setRawMode(true)
  stdin.resume()
  stdin.on('keypress', press)
  stdout.on('resize', redraw)
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, end)
  let isOver = false
  const looking = keepLooking()
  try {
    await ended
  } finally {
    isOver = true
    update.done()
    stdout.off('resize', redraw)
    stdin.off('keypress', press)
    stdin.setRawMode(false)
    stdin.pause()
    stdout.write(formerScreen)
    for (const signal of signals) process.off(signal, end)
  }
  await Promise.race([looking, ended])

  async function keepLooking(): Promise<void> {
    while (!isOver) {
      sample = await look()
      draw()
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, everyMs).unref())])
    }
  }

  function draw(): void {
    if (isOver || !sample) return
    const { columns = 80, rows = 24 } = stdout
    update(drawFrame(sample, view, { columns, rows }).slice(0, rows).join('\n'))
  }

  /** Lines that were wrapped or cut by the terminal itself are not where they were drawn. */
  function redraw(): void {
    update.clear()
    stdout.write(home)
    draw()
  }

  function press(_: string | undefined, key: Key): void {
    if (key.name === 'q' || (key.ctrl && key.name === 'c')) end()
    else if (asked) answer(key)
    else act(key)
    draw()
  }

  function act(key: Key): void {
    if (key.name === 'up' || key.name === 'down') choose(key.name === 'up' ? -1 : 1)
    if (key.name === 'left' || key.name === 'right') sortBy(key.name === 'left' ? -1 : 1)
    if (key.name === 'p') askToPause()
  }

  function choose(step: number): void {
    const queues = sortedQueues(sample?.queues ?? [], view.sort).map(({ queue }) => queue)
    const at = view.queue === undefined ? -1 : queues.indexOf(view.queue)
    const next =
      at === -1 ? (step > 0 ? 0 : queues.length - 1) : Math.min(Math.max(at + step, 0), queues.length - 1)
    view = { ...view, queue: queues[next], message: undefined }
  }

  function sortBy(step: number): void {
    const next = (sorts.indexOf(view.sort) + step + sorts.length) % sorts.length
    view = { ...view, sort: sorts[next] as Sort, message: undefined }
  }

  function askToPause(): void {
    const chosen = sample?.queues.find(({ queue }) => queue === view.queue)
    if (!chosen) {
      view = { ...view, message: 'Choose a queue first, by up and down.' }
      return
    }
    asked = { queue: chosen.queue, paused: chosen.paused }
    view = {
      ...view,
      message: `${chosen.paused ? 'Resume' : 'Pause'} "${chosen.queue}" for all workers? y/n`,
    }
  }

  function answer(key: Key): void {
    const order = asked
    asked = undefined
    view = { ...view, message: undefined }
    if (order && key.name === 'y') void give(order)
  }

  async function give({
    queue,
    paused,
  }: {
    readonly queue: string
    readonly paused: boolean
  }): Promise<void> {
    const options = { by: currentUser(), from: 'cli' }
    const verb = paused ? 'Resumed' : 'Paused'
    try {
      const { silent } = await (paused
        ? app.control.resume(queue, options)
        : app.control.pause(queue, options))
      const waits = silent.length === 0 ? '' : `, and ${silent.length} did not reply`
      view = { ...view, message: `${verb} "${queue}"${waits}.` }
      sample = await look()
    } catch (error) {
      view = { ...view, message: error instanceof Error ? error.message : String(error) }
    }
    draw()
  }
}
