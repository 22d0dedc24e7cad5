/** Whether a part of the pages could not be had. As the three kinds of browsers say it. */
export function isOutdated(error: unknown): boolean {
  return (
    error instanceof Error &&
    /dynamically imported module|importing a module script failed|unable to preload/i.test(error.message)
  )
}

/** What was thrown, with where. */
export function toText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { stack = '', name, message } = error
  const head = `${name}: ${message}`
  return stack.includes(message) ? stack : `${head}\n${stack}`.trim()
}
