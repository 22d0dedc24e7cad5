import { useMemo } from 'react'
import type { TaskSummary } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { useRange, useSearch } from '../../api/use-search.js'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { Filters } from '../../ui/filters.js'
import { NameFilter } from '../../ui/name-filter.js'
import { ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { RangeChoice } from '../../ui/range-choice.js'
import { Badge } from '../../ui/state.js'
import { Table } from '../../ui/table.js'
import { TextFilter } from '../../ui/text-filter.js'
import { useSort } from '../../ui/use-sort.js'
import { Waiting } from '../../ui/waiting.js'
import { moduleOf, type Standing, standingOf } from './standing.js'
import { taskColumns } from './task-columns.js'
import css from './tasks.module.css'

type Task = Json<TaskSummary>

/** Every task: who runs it, how often, how long, and how often it fails. */
export default function TasksPage() {
  const [range] = useRange()
  const search = useSearch()
  const [sort, setSort] = useSort({ id: 'name', isDescending: false })
  const { data, problem } = useApi('GET /tasks', { query: { range } })
  // Of the range before, until the numbers of this one are there.
  const counted = data?.range ?? range
  const columns = useMemo(() => taskColumns(counted), [counted])
  const [name, module] = [search.get('name'), search.get('module')]
  const fitting = data?.tasks.filter((task) => fits(task, name, module))
  const used = [name, module].filter((text) => text !== '').length
  return (
    <Page title="Tasks" aside={<RangeChoice />}>
      <ProblemNote problem={problem} />
      <Filters used={used} onClear={() => search.set({ name: '', module: '' })}>
        <NameFilter
          label="Module"
          chosen={module === '' ? [] : [module]}
          names={modulesOf(data?.tasks ?? [])}
          onChange={([next = '']) => search.set({ module: next })}
        />
        <TextFilter
          label="Name"
          value={name}
          names={data?.tasks.map((task) => task.name)}
          onChange={(next) => search.set({ name: next })}
        />
      </Filters>
      <Card isFlush>
        {fitting ? (
          <Table
            label="Tasks"
            rows={fitting}
            columns={columns}
            idOf={(task) => task.name}
            sort={sort}
            onSort={setSort}
            empty={<NoTasks isFiltered={used > 0} />}
          />
        ) : (
          !problem && <Waiting height={360} />
        )}
      </Card>
      <Marks tasks={fitting ?? []} />
    </Page>
  )
}

function fits({ name }: Task, text: string, module: string): boolean {
  return name.toLowerCase().includes(text.toLowerCase()) && (module === '' || moduleOf(name) === module)
}

function modulesOf(tasks: readonly Task[]): string[] {
  return [...new Set(tasks.map(({ name }) => moduleOf(name)).filter((module) => module !== ''))].sort()
}

/** What the marks in the list mean, those that are there. */
function Marks({ tasks }: { readonly tasks: readonly Task[] }) {
  const seen = new Map<string, Standing>()
  for (const task of tasks) {
    const standing = standingOf(task)
    if (standing) seen.set(standing.word, standing)
  }
  if (seen.size === 0) return null
  return (
    <ul className={css.marks} aria-label="What the marks mean">
      {[...seen.values()].map(({ word, tone, means }) => (
        <li key={word}>
          <Badge tone={tone}>{word}</Badge> {means}
        </li>
      ))}
    </ul>
  )
}

function NoTasks({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No task has this in its name." />
  return (
    <Empty title="There is no task yet.">
      Write a function in a file <code>tasks.ts</code> of a module, and start the app or a worker again:
      <pre>{`import { defineTask } from 'celeriac'\n\nexport const hello = defineTask(async ({ name }: { name: string }) => \`Hello, \${name}\`)`}</pre>
    </Empty>
  )
}
