/** Counts what a handler does, and knows when it did the first. */
export interface Counter {
  count(): void
  /** From now on; resolves with the time of the first, when there were so many. */
  expect(times: number): Promise<number>
}

export function createCounter(): Counter {
  let left = 0
  let firstAt: number | undefined
  let resolveAll: (firstAt: number) => void = () => {}

  return {
    count() {
      firstAt ??= performance.now()
      left -= 1
      if (left === 0) resolveAll(firstAt)
    },
    expect(times) {
      left = times
      firstAt = undefined
      return new Promise((resolve) => {
        resolveAll = resolve
      })
    },
  }
}
