import type { Profiled } from './contender.js'

/** One contender in one discipline. */
export interface Lane {
  readonly name: string
  /** One measurement: how many a second, or milliseconds. */
  measure(): Promise<number>
  /** The process that does the work, where it can be profiled. */
  readonly process?: Profiled
}

/** The measurements of each lane, by its name, in the order of the rounds. */
export type Rounds = ReadonlyMap<string, readonly number[]>

/**
 * Measures the lanes in turn: A B C, A B C, …
 *
 * What disturbs the machine then disturbs them alike, so the ratio of two lanes within a round means more than any
 * figure. The first round warms up and is not counted.
 *
 * @param profileAs the part's name, when one more round is to be profiled; it is not counted either
 */
export async function measureInTurn(
  lanes: readonly Lane[],
  rounds: number,
  profileAs?: string,
): Promise<Rounds> {
  const measured = new Map<string, number[]>(lanes.map((lane) => [lane.name, []]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const lane of lanes) {
      const value = await lane.measure()
      console.error(`  ${round === 0 ? 'warm-up' : `round ${round}`}  ${lane.name}: ${show(value)}`)
      if (round > 0) measured.get(lane.name)?.push(value)
    }
  }
  if (profileAs !== undefined) for (const lane of lanes) await profileLane(lane, profileAs)
  return measured
}

async function profileLane({ name, process, measure }: Lane, part: string): Promise<void> {
  if (!process) return
  const file = `${part}-${name.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`
  await process.startProfile()
  const value = await measure()
  await process.stopProfile(file)
  console.error(`  profile  ${name}: ${show(value)}, bench/profiles/${file}.cpuprofile`)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** The median over the rounds of one lane's measurement divided by another's. */
export function ratioOf(rounds: Rounds, lane: string, other: string): number {
  const others = rounds.get(other) ?? []
  return median((rounds.get(lane) ?? []).map((value, round) => value / (others[round] ?? Number.NaN)))
}

/** `3,120/s (2,980 to 3,300)` */
export function describe(rounds: Rounds, lane: string, unit: string): string {
  const values = rounds.get(lane) ?? []
  return `${show(median(values))}${unit} (${show(Math.min(...values))} to ${show(Math.max(...values))})`
}

export function show(value: number): string {
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}
