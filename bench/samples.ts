import { pause } from './contender/pause.js'
import { median } from './rounds.js'

/** A look at what a process occupies, in bytes. */
export interface Sample {
  readonly rss: number
  readonly heapUsed: number
}

/** A process that can be looked at. */
interface Sampled {
  memory(): Promise<Sample>
}

const everyMs = 200

/** Looks at a process for so long, and gives the medians in MB. */
export async function sampleFor(process: Sampled, ms: number): Promise<Sample> {
  const samples: Sample[] = []
  const endsAt = performance.now() + ms
  do {
    samples.push(await process.memory())
    await pause(everyMs)
  } while (performance.now() < endsAt)
  return toMedians(samples)
}

/** Looks at a process until the work has ended, and gives the medians in MB. */
export async function sampleDuring(process: Sampled, work: Promise<unknown>): Promise<Sample> {
  const samples: Sample[] = []
  let isOver = false
  const over = work.finally(() => {
    isOver = true
  })
  while (!isOver) {
    samples.push(await process.memory())
    await pause(everyMs)
  }
  await over
  return toMedians(samples)
}

/** The medians, in MB. */
export function toMedians(samples: readonly Sample[]): Sample {
  return {
    rss: median(samples.map(({ rss }) => rss)) / 2 ** 20,
    heapUsed: median(samples.map(({ heapUsed }) => heapUsed)) / 2 ** 20,
  }
}
