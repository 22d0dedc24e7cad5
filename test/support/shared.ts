import { afterAll } from 'vitest'

/** Is told how to end what was opened. */
export type OnEnd = (end: () => Promise<void> | void) => void

/**
 * One of what is costly to start, for the tests of a group that leave it as it was. It is opened when the first of them
 * asks for it, and ends with the group. A test may use it up: the next one that asks has a new one.
 *
 * @param isSpent whether it can be used no more
 */
export function shared<T>(
  open: (onEnd: OnEnd) => Promise<T>,
  isSpent: (opened: T) => boolean = () => false,
): () => Promise<T> {
  let opened: { readonly value: T } | undefined
  const ends: Parameters<OnEnd>[0][] = []
  afterAll(async () => {
    await Promise.all(ends.splice(0).map((end) => end()))
  })
  return async () => {
    if (!opened || isSpent(opened.value)) opened = { value: await open((end) => ends.push(end)) }
    return opened.value
  }
}
