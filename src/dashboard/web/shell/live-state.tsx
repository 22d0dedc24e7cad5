import type { FeedState } from '../api/feed.js'
import { useFeedState } from '../api/use-api.js'
import css from './live-state.module.css'

const words: Readonly<Record<FeedState, readonly [word: string, explained: string]>> = {
  live: ['Live', 'What happens is shown at once'],
  polling: ['Every 5 s', 'No stream could be had, so this page asks now and then'],
  paused: ['Paused', 'Nobody looks at this page'],
  down: ['Down', 'The server cannot answer right now; this page tries again by itself'],
  offline: ['Offline', 'The server does not answer; this page tries again by itself'],
}

/** Whether what is seen is so now. */
export function LiveState() {
  const state = useFeedState()
  const [word, explained] = words[state]
  return (
    <span className={`${css.live} ${css[state]}`} title={explained} role="status">
      {word}
    </span>
  )
}
