import type { Servers } from '../support/lab.js'
import { commandLine, type Ran } from './command-line.js'

/** `celeriac …` from dist/ on these servers, with the crew of `test/fixtures` as its app. */
export function celeriacFor(servers: Servers): (...args: string[]) => Promise<Ran> {
  const run = commandLine(servers, 'test/fixtures/crew')
  return (...args) => run(args)
}
