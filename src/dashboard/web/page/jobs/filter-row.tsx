import { useApi } from '../../api/use-api.js'
import { ChoiceFilter, Filters } from '../../ui/filters.js'
import { NameFilter } from '../../ui/name-filter.js'
import { pauseMs, TextFilter } from '../../ui/text-filter.js'
import { isWholeDuration, namesIn } from '../../ui/typed.js'
import type { useJobsView } from './use-view.js'
import { type JobsView, jobsRanges, rangeNames } from './view.js'

/** What narrows the list, beside the states and the search field. */
export function FilterRow({ view, change }: Pick<ReturnType<typeof useJobsView>, 'view' | 'change'>) {
  const { data: names } = useApi('GET /vocabulary', {})
  return (
    <Filters used={countUsed(view)} onClear={() => change(nothing)}>
      <NameFilter
        label="Task"
        chosen={view.tasks}
        names={names?.tasks}
        onChange={(tasks) => change({ tasks })}
      />
      <NameFilter
        label="Queue"
        chosen={view.queues}
        names={names?.queues}
        onChange={(queues) => change({ queues })}
      />
      <NameFilter
        label="Worker"
        chosen={view.workers}
        names={names?.workers}
        onChange={(workers) => change({ workers })}
      />
      <TextFilter
        label="Owner"
        value={view.owners.join(', ')}
        names={names?.owners}
        afterMs={pauseMs}
        onChange={(text, isMore) => change({ owners: namesIn(text) }, isMore)}
      />
      <TextFilter
        label="Tag"
        value={view.tags.join(', ')}
        names={names?.tags}
        afterMs={pauseMs}
        onChange={(text, isMore) => change({ tags: namesIn(text) }, isMore)}
      />
      <TextFilter
        label="Took at least"
        value={view.minDuration}
        names={durations}
        afterMs={pauseMs}
        isWhole={isWholeDuration}
        isShort
        onChange={(minDuration, isMore) => change({ minDuration }, isMore)}
      />
      <TextFilter
        label="At most"
        value={view.maxDuration}
        names={durations}
        afterMs={pauseMs}
        isWhole={isWholeDuration}
        isShort
        onChange={(maxDuration, isMore) => change({ maxDuration }, isMore)}
      />
      <ChoiceFilter
        label="Within"
        value={view.range}
        options={jobsRanges.map((value) => ({ value, label: rangeNames[value] }))}
        isUsed={view.isRangeSaid}
        onChange={(range) => change({ range })}
      />
    </Filters>
  )
}

const durations = ['100ms', '1s', '10s', '1m', '10m', '1h']

const nothing = {
  ...{ tasks: [], queues: [], workers: [], owners: [], tags: [], ids: [] },
  ...{ parent: '', minDuration: '', maxDuration: '' },
}

function countUsed(view: JobsView): number {
  const lists = [view.tasks, view.queues, view.workers, view.owners, view.tags, view.ids]
  const texts = [view.parent, view.minDuration, view.maxDuration]
  return lists.filter(({ length }) => length > 0).length + texts.filter((text) => text !== '').length
}
