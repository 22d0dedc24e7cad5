import { useEffect, useRef, useState } from 'react'
import { Problem } from '../../api/call.js'
import { useSearch } from '../../api/use-search.js'
import { Button } from '../../ui/button.js'
import { Choice as OneOf } from '../../ui/choice.js'
import { Dialog } from '../../ui/dialog.js'
import { tellCount } from '../../ui/format.js'
import { ProblemNote } from '../../ui/note.js'
import { Progress } from '../../ui/progress.js'
import { useTell } from '../../ui/toast.js'
import type { Choice } from './choice.js'
import { useColumns } from './column-choice.js'
import { type ExportFormat, toExportColumns } from './export.js'
import css from './export-dialog.module.css'
import { saveExport } from './save.js'
import { tellJobs } from './total.js'
import { useCount } from './use-count.js'
import { isByEnd, type JobsView, toFilter } from './view.js'

interface ExportDialogProps {
  readonly view: JobsView
  readonly choice: Choice
  onClose(): void
}

const mostCounted = 1_000_000

/** Saves the chosen jobs as a file, row by row as they come. Closing it stops it. */
export function ExportDialog({ view, choice, onClose }: ExportDialogProps) {
  const tell = useTell()
  const [format, setFormat] = useState<ExportFormat>('csv')
  const [which, setWhich] = useState<'usual' | 'shown'>('usual')
  const shown = useColumns(useSearch(), isByEnd(view.states))
  const [rows, setRows] = useState<number>()
  const [problem, setProblem] = useState<Problem>()
  const running = useRef<AbortController>(undefined)
  const query = choice.kind === 'all' ? toFilter(view) : { id: [...choice.ids] }
  const counted = useCount(query, choice.kind === 'all', mostCounted)
  const matched = choice.kind === 'all' ? counted : { count: choice.ids.size, isMore: false }
  useEffect(() => () => running.current?.abort(), [])

  const save = async () => {
    const controller = new AbortController()
    running.current = controller
    setProblem(undefined)
    setRows(0)
    try {
      const saved = await saveExport(
        { ...query, ...(which === 'shown' ? { columns: toExportColumns(shown) } : {}) },
        format,
        controller.signal,
        setRows,
      )
      tell(`${tellCount(saved)} jobs were saved`)
      onClose()
    } catch (error) {
      if (!controller.signal.aborted)
        setProblem(error instanceof Problem ? error : new Problem(0, 'CUT', cut))
      setRows(undefined)
    }
  }

  return (
    <Dialog title="Export" isOpen onClose={onClose}>
      <p>
        <strong>{matched ? tellJobs(matched.count, matched.isMore) : 'Counting …'}</strong> as they are now.
        Hidden fields stay hidden.
      </p>
      <OneOf<ExportFormat>
        label="Format"
        value={format}
        options={[
          { value: 'csv', label: 'CSV' },
          { value: 'jsonl', label: 'JSON Lines' },
        ]}
        onChange={setFormat}
      />
      <OneOf<'usual' | 'shown'>
        label="Columns"
        value={which}
        options={[
          { value: 'usual', label: 'Usual columns' },
          { value: 'shown', label: 'Columns of the list' },
        ]}
        onChange={setWhich}
      />
      {rows !== undefined && (
        <Progress label="Rows" done={rows} of={matched && !matched.isMore ? matched.count : undefined} />
      )}
      <ProblemNote problem={problem} />
      <div className={css.buttons}>
        <Button onClick={onClose}>{rows === undefined ? 'Not now' : 'Stop'}</Button>
        <Button kind="primary" isBusy={rows !== undefined} onClick={() => void save()}>
          Save as a file
        </Button>
      </div>
    </Dialog>
  )
}

const cut = 'The connection ended before all rows had come, and no file was saved. Try again.'
