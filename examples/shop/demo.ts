import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { serve } from './serve.js'
import { openShop } from './shop.js'
import { tryOut } from './try-out.js'
import { untilStopped } from './until-stopped.js'

const { values: flags } = parseArgs({
  options: {
    exit: { type: 'boolean', default: false },
    picture: { type: 'string', default: fileURLToPath(new URL('samples/harbour.jpg', import.meta.url)) },
  },
})
const { PORT: port, HOST: host } = process.env

// On a terminal, the worker's own lines are worth watching.
const logger = process.stdout.isTTY ? 'info' : 'warn'
const shop = openShop({ worker: { queues: ['default', 'mail'], concurrency: 4 }, logger })
const stopped = untilStopped()
const running = await serve(shop, { port, host }).catch(fail)
if (running) {
  const tried = await Promise.race([tryOut(shop.jobs, running.url, flags.picture).catch(fail), stopped])
  if (tried && !flags.exit) {
    console.log(`
Open it:
  the shop    ${running.url}/
  this job    ${tried.job}
  the board   ${running.url}/jobs/dashboard

Ctrl-C stops it.
`)
    await stopped
    console.log('Stopping: running jobs may finish. A second Ctrl-C stops at once.')
  }
  await running.close()
} else {
  await shop.jobs.close()
}
// All is closed and said: nothing that a task left open may hold the process.
process.exit()

function fail(error: unknown): undefined {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
