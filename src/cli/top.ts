import type { Command } from 'commander'
import { readEnvironment } from '../config/env.js'
import { sleep } from '../waiting.js'
import { toTime } from './amounts.js'
import { type CommonFlags, common, print, printJson } from './kit.js'

interface TopFlags extends CommonFlags {
  readonly interval: string
  readonly once?: boolean
}

export function addTop(program: Command): void {
  common(program.command('top'))
    .description('A live screen of queues, workers and tasks.')
    .option('--interval <duration>', 'time between two looks; a number alone is seconds', '2s')
    .option('--once', 'print one frame, and end; so it does where there is no terminal')
    .addHelpText(
      'after',
      `
Keys: q ends it; up and down choose a queue, p pauses it or lets it go on, after y; left and right choose what the
tables are sorted by.

Example:
  celeriac top --interval 1s
  celeriac top --once --json | jq '.queues[] | select(.waiting > 1000)'`,
    )
    .action(top)
}

/** Between the two looks that one frame needs: rates are what has happened in between. */
const onceMs = 1000
const leastMs = 250
/** As wide as it takes: nobody cuts what goes into a file. */
const anySize = { columns: 500, rows: 1000 }

async function top(flags: TopFlags): Promise<void> {
  const everyMs = Math.max(leastMs, toTime(flags.interval, '--interval'))
  const { withBareApp } = await import('./open.js')
  const { createSampler } = await import('./top/sample.js')
  await withBareApp(flags, async (app) => {
    const look = createSampler(app)
    if (!flags.once && !flags.json && readEnvironment().canAsk && readEnvironment().isTerminal) {
      const { runScreen } = await import('./top/screen.js')
      return runScreen({ app, look, everyMs })
    }
    await look()
    await sleep(onceMs)
    const sample = await look()
    if (flags.json) return printJson(sample)
    const { drawFrame, firstView } = await import('./top/frame.js')
    print(drawFrame(sample, firstView, anySize).join('\n').trimEnd())
  })
}
