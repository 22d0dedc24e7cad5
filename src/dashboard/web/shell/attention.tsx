import { useEffect } from 'react'
import { useApi } from '../api/use-api.js'
import { Badge } from '../ui/state.js'

/** How much needs somebody, wherever one is: a number in the menu, a dot on the browser's tab. */
export function Attention() {
  const count = useApi('GET /status', {}).data?.problems.length ?? 0
  useTabDot(count > 0)
  if (count === 0) return null
  return (
    <Badge tone="danger">
      {count}
      <span className="hidden-but-read"> {count === 1 ? 'problem' : 'problems'}</span>
    </Badge>
  )
}

const dot = "%3Ccircle cx='25' cy='7' r='7' fill='%23d93025' stroke='white' stroke-width='2'/%3E%3C/svg%3E"

function useTabDot(isShown: boolean): void {
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')
    if (!icon || !isShown) return
    const { href } = icon
    icon.href = href.replace('%3C/svg%3E', dot)
    return () => {
      icon.href = href
    }
  }, [isShown])
}
