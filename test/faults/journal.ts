import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'

/** Events as JSON Lines, in the order of writing. */
export interface Journal<Event> {
  write(event: Event): void
  close(): void
}

const flushEveryMs = 200

/** Goes on with a file that is there. */
export function openJournal<Event>(file: string): Journal<Event> {
  dropTornLine(file)
  const handle = openSync(file, 'a')
  let lines: string[] = []
  const flush = () => {
    if (lines.length > 0) writeSync(handle, lines.join(''))
    lines = []
  }
  const timer = setInterval(flush, flushEveryMs)
  timer.unref()
  return {
    write: (event) => void lines.push(`${JSON.stringify(event)}\n`),
    close() {
      clearInterval(timer)
      flush()
      closeSync(handle)
    },
  }
}

/** Half a line is left where the writer was killed. */
function dropTornLine(file: string): void {
  if (!existsSync(file)) return
  truncateSync(file, readFileSync(file).lastIndexOf(0x0a) + 1)
}
