import { useCallback, useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
const prefix = 'celeriac.'

/** What the viewer likes, kept in the browser: how times look, which columns are shown. Never what a page shows. */
export function useStored<Value extends string>(
  name: string,
  unsaid: Value,
): readonly [Value, (value: Value) => void] {
  const value = useSyncExternalStore(watch, () => read(name) ?? unsaid)
  const set = useCallback((next: Value) => write(name, next), [name])
  return [value as Value, set]
}

function watch(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** A browser that keeps nothing is no reason to show nothing. */
function read(name: string): string | null {
  try {
    return localStorage.getItem(prefix + name)
  } catch {
    return null
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(prefix + name, value)
  } catch {}
  for (const listener of listeners) listener()
}
