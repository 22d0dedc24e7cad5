import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'

/** Events as JSON Lines, in the order of writing. */
export interface Journal<Event> {
  write(event: Event): void
  close(): void
}

/** Goes on with a file that is there. */
export function openJournal<Event>(file: string): Journal<Event> {
  dropTornLine(file)
  const handle = openSync(file, 'a')
  let isOpen = true
  return {
    // At once: what a run did before it was killed must be known to the one that goes on.
    write(event) {
      if (isOpen) writeSync(handle, `${JSON.stringify(event)}\n`)
    },
    close() {
      isOpen = false
      closeSync(handle)
    },
  }
}

/** Half a line is left where the writer was killed. */
function dropTornLine(file: string): void {
  if (!existsSync(file)) return
  truncateSync(file, readFileSync(file).lastIndexOf(0x0a) + 1)
}
