const width = 30

/** Shows on a terminal how far a long load has come. Elsewhere it says nothing. */
export interface Progress {
  at(done: number): void
  /** Clears the line. */
  end(): void
}

export function startProgress(what: string, total: number): Progress {
  const startedAt = performance.now()
  const isTerminal = process.stderr.isTTY === true

  return {
    at(done) {
      if (!isTerminal) return
      const share = Math.min(1, done / total)
      const bar = '█'.repeat(Math.round(share * width)).padEnd(width, '·')
      const seconds = Math.round((performance.now() - startedAt) / 1000)
      process.stderr.write(`\r  ${what}  ${bar} ${Math.round(share * 100)} %  ${seconds} s`)
    },
    end() {
      if (isTerminal) process.stderr.write('\r\x1b[2K')
    },
  }
}
