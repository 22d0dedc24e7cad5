import { Link } from 'wouter'
import { RowName } from '../../ui/row-name.js'
import { Badge } from '../../ui/state.js'
import { moduleOf, type Standing } from './standing.js'
import css from './tasks.module.css'

interface TaskNameProps {
  readonly name: string
  readonly standing: Standing | undefined
}

/** A task's name, its module a little apart, and what is odd about it. */
export function TaskName({ name, standing }: TaskNameProps) {
  const module = moduleOf(name)
  return (
    <RowName name={name}>
      <Link href={`/tasks/${encodeURIComponent(name)}`}>
        {module !== '' && <span className={css.module}>{module}.</span>}
        {module === '' ? name : name.slice(module.length + 1)}
      </Link>
      {standing && <Badge tone={standing.tone}>{standing.word}</Badge>}
    </RowName>
  )
}
