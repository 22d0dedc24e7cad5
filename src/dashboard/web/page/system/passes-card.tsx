import type { PassPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { tellCount } from '../../ui/format.js'
import { Badge } from '../../ui/state.js'
import { type Column, Table } from '../../ui/table.js'
import { Time } from '../../ui/time.js'
import { meaningOf } from './pass-words.js'
import css from './system.module.css'

type Pass = Json<PassPage>

interface PassesProps {
  readonly passes: readonly Pass[]
  /** The store, which remembers them, has been asked. */
  readonly isKnown: boolean
}

/** What maintenance looks after, and what it has had to mend. */
export function Passes({ passes, isKnown }: PassesProps) {
  return (
    <Card
      isFlush
      title="Maintenance"
      note="Every process of the app takes its turn. What was repaired would have waited for ever without it."
    >
      <Table
        label="Passes of maintenance"
        rows={passes}
        columns={columns}
        idOf={({ name }) => name}
        empty={
          isKnown ? (
            <Empty title="No pass has run yet.">
              The first round begins seconds after a process has started.
            </Empty>
          ) : (
            <Empty title="It is not known what ran.">
              While the store is away nothing is repaired, and nothing is taken for lost.
            </Empty>
          )
        }
      />
    </Card>
  )
}

const columns: readonly Column<Pass>[] = [
  {
    id: 'name',
    title: 'Pass',
    narrow: 'title',
    cell: ({ name }) => (
      <span className={css.pass}>
        {name}
        <small>{meaningOf(name)}</small>
      </span>
    ),
  },
  {
    id: 'ran',
    title: 'Looked last',
    cell: ({ ranAt, isOverdue }) => (
      <>
        <Time at={ranAt} /> {isOverdue && <Badge tone="danger">overdue</Badge>}
      </>
    ),
  },
  {
    id: 'repaired',
    title: 'Repaired so far',
    isNumber: true,
    cell: ({ repaired }) => tellCount(repaired),
  },
]
