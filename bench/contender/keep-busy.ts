/**
 * Calls `work` again and again, so many at once, for so long. Resolves, when the last call has, with how many a second.
 */
export async function keepBusy(
  inFlight: number,
  seconds: number,
  work: () => Promise<unknown>,
): Promise<{ readonly count: number; readonly perSecond: number }> {
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1000
  let count = 0

  async function caller(): Promise<void> {
    while (performance.now() < endsAt) {
      await work()
      count += 1
    }
  }

  await Promise.all(Array.from({ length: inFlight }, caller))
  return { count, perSecond: count / ((performance.now() - startedAt) / 1000) }
}
