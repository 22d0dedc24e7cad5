import { setMaxListeners } from 'node:events'
import { sweepScratch } from '../support/scratch.js'
import { type Command, readCommand } from './arguments.js'
import { listCatalogue } from './catalogue.js'
import { closeClients } from './client.js'
import { type Console, createConsole } from './console.js'
import { runLong } from './long.js'
import { printOutcomes } from './report.js'
import { runShowings, showingsOf } from './runner.js'
import { scenarios } from './scenarios/all.js'
import { runShort } from './short.js'
import { closeWorkshop, openWorkshop } from './workshop.js'

// `npm run faults`: see docs/faults.md.
const stop = new AbortController()
// Every scenario that runs listens to it.
setMaxListeners(0, stop.signal)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt())
const console = createConsole()

try {
  const command = readCommand(process.argv.slice(2))
  if ('seed' in command) console.say(`Seed ${command.seed}.`)
  process.exitCode = (await run(command, console)) ? 0 : 1
} catch (error) {
  console.say(error instanceof Error && !stop.signal.aborted ? (error.stack ?? error.message) : String(error))
  process.exitCode = 1
}
closeClients()
// Whatever is left must not keep the command alive; what it started ends with it.
process.exit()

/** `false`: something did not hold. */
async function run(command: Command, console: Console): Promise<boolean> {
  sweepScratch()
  switch (command.run) {
    case 'list':
      console.say(listCatalogue())
      return true
    case 'some':
      return runSome(command)
    case 'short':
      return runShort(command.seed, console, stop.signal)
    case 'long':
      return runLong(command, console, stop.signal)
  }
}

async function runSome({ numbers, seed, only }: Extract<Command, { run: 'some' }>): Promise<boolean> {
  const wanted = scenarios.filter(({ faults }) => faults.some((number) => numbers.includes(number)))
  for (const number of numbers)
    if (!wanted.some(({ faults }) => faults.includes(number))) console.say(listCatalogue(number))
  if (wanted.length === 0) return false
  const workshop = await openWorkshop({ seed, console, stopped: stop.signal, share: 1 })
  const outcomes = await runShowings(showingsOf(wanted, only), workshop, 2)
  closeWorkshop(workshop, outcomes)
  console.say(printOutcomes(outcomes))
  return !stop.signal.aborted && outcomes.every(({ failure }) => failure === undefined)
}

function interrupt(): void {
  stop.abort(new Error('Interrupted.'))
  // A second one does not wait for anybody.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
}
