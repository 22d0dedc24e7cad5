import css from './filter.module.css'

interface NameFilterProps {
  readonly label: string
  readonly chosen: readonly string[]
  /** `undefined`: not known yet. */
  readonly names: readonly string[] | undefined
  onChange(names: readonly string[]): void
}

/** One name of those there are. Several, which a link may name, stay until another is chosen. */
export function NameFilter({ label, chosen, names = [], onChange }: NameFilterProps) {
  const [first = ''] = chosen
  const isSeveral = chosen.length > 1
  const several = chosen.join(', ')
  const others = isSeveral ? [several] : chosen.filter((name) => !names.includes(name))
  return (
    <label className={css.filter}>
      <span className={css.name}>{label}</span>
      <select
        className={`${css.input} ${chosen.length > 0 ? css.isUsed : ''}`}
        value={isSeveral ? several : first}
        title={several}
        onChange={({ target }) => onChange(target.value === '' ? [] : [target.value])}
      >
        <option value="">Any</option>
        {[...others, ...names].map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
