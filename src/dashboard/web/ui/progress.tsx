import { Progress as Base } from '@base-ui/react/progress'
import { tellCount } from './format.js'
import css from './progress.module.css'

interface ProgressProps {
  readonly label: string
  readonly done: number
  /** `undefined`: not known. */
  readonly of: number | undefined
}

export function Progress({ label, done, of }: ProgressProps) {
  const part = of === undefined ? null : of === 0 ? 100 : Math.min(100, (100 * done) / of)
  return (
    <Base.Root value={part} className={css.progress} aria-label={label}>
      <div className={css.words}>
        <Base.Label>{label}</Base.Label>
        <span>{of === undefined ? tellCount(done) : `${tellCount(done)} of ${tellCount(of)}`}</span>
      </div>
      <Base.Track className={css.track}>
        <Base.Indicator className={css.bar} />
      </Base.Track>
    </Base.Root>
  )
}
