import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'

/** Events as JSON Lines, in the order of writing. A line is with the system before `write` returns, or soon after it. */
export interface Journal<Event> {
  write(event: Event): void
  flush(): void
  close(): void
}

const flushEveryMs = 200

/** Goes on with a file that is there. */
export function openJournal<Event>(file: string): Journal<Event> {
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
    flush,
    close() {
      clearInterval(timer)
      flush()
      closeSync(handle)
    },
  }
}

/** What a journal holds. The last line may be half, where its writer was killed. */
export function readJournal<Event>(file: string): Event[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as Event]
      } catch {
        return []
      }
    })
}
