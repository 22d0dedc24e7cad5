/**
 * Resolves at the first SIGINT or SIGTERM; a later one ends the process at once.
 *
 * "npm run" passes a Ctrl-C on to a process that the terminal has told already, so that what follows within a second
 * is taken for the same.
 */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let stoppedAt: number | undefined
    const stop = () => {
      stoppedAt ??= Date.now()
      if (Date.now() - stoppedAt > 1000) process.exit(130)
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}
