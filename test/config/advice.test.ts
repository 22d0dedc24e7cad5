import { expect, test } from 'vitest'
import { workerAdvice } from '../../src/config/advice.js'

const here = { file: '/app/celeriac.config.ts', folder: '/app' }

test.each<[string, Parameters<typeof workerAdvice>, string]>([
  ['beside its config', [here, 'mail'], 'Run: npx celeriac worker -Q mail'],
  [
    'away from its config, with a name that a shell would take apart',
    [{ file: '/app/my jobs/celeriac.config.ts', folder: '/app' }, "it's$"],
    "Run: npx celeriac worker -A 'my jobs/celeriac.config.ts' -Q 'it'\\''s$'",
  ],
  [
    'without a config',
    [{ file: undefined, folder: '/app' }, 'mail'],
    'Say { worker: true } to run one in this process, which serves the default queue and those that tasks name. Or move the options to a celeriac.config.ts, and run: npx celeriac worker -Q mail',
  ],
  [
    'where others live',
    [here, 'video', ['mail@one', 'mail@two']],
    'Run: npx celeriac worker -Q video. Or let a worker that runs serve it too, on its page or by: npx celeriac control queue-add video -d mail@one',
  ],
])('a worker for a queue, %s', (_, given, advice) => {
  expect(workerAdvice(...given)).toBe(advice)
})
