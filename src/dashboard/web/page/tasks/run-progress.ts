import type { JobState } from '../../../../job/state.js'

const ends: readonly JobState[] = ['succeeded', 'failed', 'cancelled', 'expired']

export function isEnded(state: JobState): boolean {
  return ends.includes(state)
}

/** Of a progress as tasks usually tell it: a number, or one with the name `percent`. */
export function percentOf(progress: unknown): number | undefined {
  const percent =
    typeof progress === 'object' && progress !== null && 'percent' in progress ? progress.percent : progress
  return typeof percent === 'number' && percent >= 0 && percent <= 100 ? percent : undefined
}
