import { setTimeout } from 'node:timers/promises'

/**
 * The files of this shop are small and done in no time. Each of these pauses stands for a larger file or a slower
 * service, so that there is progress to watch. Ends early, by the signal's reason, when the attempt is to stop.
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await setTimeout(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
}
