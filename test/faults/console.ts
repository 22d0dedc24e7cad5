/** What a run says. On a terminal the last line changes; elsewhere lines come now and then. */
export interface Console {
  /** Where it is. May be left out. */
  progress(line: string): void
  say(line: string): void
}

const plainEveryMs = 10_000

export function createConsole(out: NodeJS.WriteStream = process.stdout): Console {
  let shown = false
  let saidAt = Date.now()
  const clear = () => {
    if (shown) out.write('\r\u001b[K')
    shown = false
  }
  return {
    progress(line) {
      if (out.isTTY) {
        clear()
        out.write(line.slice(0, Math.max(20, out.columns - 1)))
        shown = true
      } else if (Date.now() - saidAt > plainEveryMs) {
        saidAt = Date.now()
        out.write(`${line}\n`)
      }
    },
    say(line) {
      clear()
      out.write(`${line}\n`)
    },
  }
}
