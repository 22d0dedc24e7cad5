import { Choice } from '../ui/choice.js'
import { useThemeChoice } from '../ui/theme.js'
import { useTimeStyle } from '../ui/time.js'
import { LiveState } from './live-state.js'
import css from './shell.module.css'

/** How the viewer likes it. Kept in the browser. */
export function Preferences() {
  const [theme, setTheme] = useThemeChoice()
  const [times, setTimes] = useTimeStyle()
  return (
    <div className={css.preferences}>
      <LiveState />
      <Choice
        label="Theme"
        value={theme}
        options={[
          { value: 'auto', label: 'Auto', title: 'As the system has it' },
          { value: 'light', label: 'Light' },
          { value: 'dark', label: 'Dark' },
        ]}
        onChange={setTheme}
      />
      <Choice
        label="Times"
        value={times}
        options={[
          { value: 'relative', label: '5 min ago', title: 'How long ago' },
          { value: 'absolute', label: '14:03:07', title: 'Date and time, in your time zone' },
        ]}
        onChange={setTimes}
      />
    </div>
  )
}
