/** Numbers that a seed repeats. */
export interface Random {
  /** From 0 up to 1. */
  next(): number
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number
  pick<T>(from: readonly T[]): T
  isOneIn(n: number): boolean
  shuffle<T>(list: readonly T[]): T[]
  /** Another row of numbers, by name, so that what one part draws does not change what another one draws. */
  fork(name: string): Random
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const random: Random = {
    next() {
      // mulberry32
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
    between: (least, most) => least + Math.floor(random.next() * (most - least + 1)),
    pick(from) {
      const picked = from[random.between(0, from.length - 1)]
      if (picked === undefined) throw new Error('There is nothing to pick from.')
      return picked
    },
    isOneIn: (n) => random.next() < 1 / n,
    shuffle: (list) =>
      list
        .map((item) => ({ item, at: random.next() }))
        .sort((a, b) => a.at - b.at)
        .map(({ item }) => item),
    fork: (name) => createRandom(seed ^ hash(name)),
  }
  return random
}

function hash(name: string): number {
  let sum = 0x811c9dc5
  for (const letter of name) sum = Math.imul(sum ^ (letter.codePointAt(0) ?? 0), 0x01000193)
  return sum >>> 0
}
