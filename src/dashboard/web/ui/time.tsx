import { useSyncExternalStore } from 'react'
import { tellAgo, tellDuration, tellMoment } from './format.js'
import { useStored } from './stored.js'

/** One clock for the page: a hundred times move together. */
const clock = {
  now: Date.now(),
  listeners: new Set<() => void>(),
  timer: undefined as ReturnType<typeof setInterval> | undefined,
}

function watchClock(listener: () => void): () => void {
  clock.listeners.add(listener)
  clock.timer ??= setInterval(() => {
    clock.now = Date.now()
    for (const each of clock.listeners) each()
  }, 1000)
  return () => {
    clock.listeners.delete(listener)
    if (clock.listeners.size > 0) return
    clearInterval(clock.timer)
    clock.timer = undefined
  }
}

/** Milliseconds, each second anew. */
export function useNow(): number {
  return useSyncExternalStore(watchClock, () => clock.now)
}

export function useTimeStyle() {
  return useStored('times', 'relative' as 'relative' | 'absolute')
}

/** A moment: how long ago, or when, as the viewer likes it. The other stands in its title. */
export function Time({ at }: { readonly at: string | number | null | undefined }) {
  const now = useNow()
  const [style] = useTimeStyle()
  if (at === null || at === undefined) return <None />
  const ms = new Date(at).getTime()
  const [ago, exact] = [tellAgo(ms, now), tellMoment(ms)]
  return (
    <time
      dateTime={new Date(ms).toISOString()}
      title={style === 'relative' ? exact : ago}
      {...(style === 'relative' ? {} : { 'data-exact': '' })}
    >
      {style === 'relative' ? ago : exact}
    </time>
  )
}

export function Duration({ ms }: { readonly ms: number | null | undefined }) {
  if (ms === null || ms === undefined) return <None />
  return <span title={`${Math.round(ms)} ms`}>{tellDuration(ms)}</span>
}

/** How long something has lasted that goes on. */
export function Since({ at }: { readonly at: string }) {
  return <Duration ms={Math.max(0, useNow() - new Date(at).getTime())} />
}

/** In the place of a value that there is not. */
export function None() {
  return (
    <>
      <span aria-hidden="true">–</span>
      <span className="hidden-but-read">none</span>
    </>
  )
}
