import type { Servers } from '../support/lab.js'
import { commandLine, type Ran } from './command-line.js'

/** `celeriac …` from dist/ on these servers, with the crew of `test/fixtures` as its app. */
export function celeriacFor(
  servers: Servers,
  app = 'test/fixtures/crew',
): (...args: string[]) => Promise<Ran> {
  const run = commandLine(servers, app)
  return (...args) => run(args)
}
