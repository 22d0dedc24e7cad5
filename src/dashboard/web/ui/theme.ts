import { useEffect, useSyncExternalStore } from 'react'
import { useStored } from './stored.js'

export type Theme = 'auto' | 'light' | 'dark'

const isDarkOutside = matchMedia('(prefers-color-scheme: dark)')

export function useThemeChoice() {
  const [theme, set] = useStored<Theme>('theme', 'auto')
  useEffect(() => {
    document.documentElement.dataset.theme = theme
  }, [theme])
  return [theme, set] as const
}

/** What is seen now. */
export function useTheme(): 'light' | 'dark' {
  const [theme] = useStored<Theme>('theme', 'auto')
  const isDark = useSyncExternalStore(
    (listener) => {
      isDarkOutside.addEventListener('change', listener)
      return () => isDarkOutside.removeEventListener('change', listener)
    },
    () => isDarkOutside.matches,
  )
  if (theme !== 'auto') return theme
  return isDark ? 'dark' : 'light'
}

/** Colours as a canvas takes them, by the names of tokens.css. */
export function inkOf(place: HTMLElement): (name: string) => string {
  const probe = document.createElement('span')
  return (name) => {
    probe.style.color = `var(--${name})`
    place.append(probe)
    const { color } = getComputedStyle(probe)
    probe.remove()
    return color
  }
}
