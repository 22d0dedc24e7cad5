import type { FeedState } from '../api/feed.js'
import { useFeedState } from '../api/use-api.js'
import { Choice } from '../ui/choice.js'
import { useThemeChoice } from '../ui/theme.js'
import { useTimeStyle } from '../ui/time.js'
import css from './shell.module.css'

const words: Readonly<Record<FeedState, readonly [word: string, explained: string]>> = {
  live: ['Live', 'What happens is shown at once'],
  polling: ['Every 5 s', 'No stream could be had, so this page asks now and then'],
  paused: ['Paused', 'Nobody looks at this page'],
  offline: ['Offline', 'The server does not answer; this page tries again'],
}

/** How the viewer likes it. Kept in the browser. */
export function Preferences() {
  const [theme, setTheme] = useThemeChoice()
  const [times, setTimes] = useTimeStyle()
  const state = useFeedState()
  const [word, explained] = words[state]
  return (
    <div className={css.preferences}>
      <span className={`${css.live} ${css[state]}`} title={explained} role="status">
        {word}
      </span>
      <Choice
        label="Theme"
        value={theme}
        options={[
          { value: 'auto', label: 'Auto' },
          { value: 'light', label: 'Light' },
          { value: 'dark', label: 'Dark' },
        ]}
        onChange={setTheme}
      />
      <Choice
        label="Times"
        value={times}
        options={[
          { value: 'relative', label: '5 min ago' },
          { value: 'absolute', label: '14:03:07' },
        ]}
        onChange={setTimes}
      />
    </div>
  )
}
