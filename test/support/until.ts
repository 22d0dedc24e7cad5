export interface UntilOptions {
  /** How long to look. Default 30 s: a bound against what hangs. */
  readonly timeoutMs?: number
  /** Time between two looks. Default 20 ms. */
  readonly everyMs?: number
}

/** Looks again and again until `predicate` gives a truthy value, and returns that. What it throws last is the cause. */
export async function until<T>(
  predicate: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { timeoutMs = 30_000, everyMs = 20 } = options
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      const value = await predicate()
      if (value) return value as Exclude<T, false | null | undefined>
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadline)
      throw new Error(`Not true within ${timeoutMs} ms: ${predicate}`, { cause })
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
