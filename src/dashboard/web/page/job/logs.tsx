import { useEffect, useRef, useState } from 'react'
import type { JobLogLevel } from '../../../../job/event.js'
import { useSearch } from '../../api/use-search.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { Checkbox } from '../../ui/checkbox.js'
import { Choice } from '../../ui/choice.js'
import { Copy } from '../../ui/copy.js'
import { useAct } from '../../ui/dialog.js'
import { ProblemNote } from '../../ui/note.js'
import { offer } from '../../ui/save.js'
import { Waiting } from '../../ui/waiting.js'
import { type Line, levels, ofLevel, toLogText } from './log-lines.js'
import css from './logs.module.css'
import { fetchLogs, useLogs } from './use-logs.js'

interface LogsProps {
  readonly id: string
  /** Lines may still come. */
  readonly isOpen: boolean
}

/** What the attempts of a job have logged, as it comes. */
export function Logs({ id, isOpen }: LogsProps) {
  const { lines, problem, isKnown, hasEarlier, loadEarlier } = useLogs(id)
  const search = useSearch()
  const said = search.get('level')
  const least = levels.find((level) => level === said) ?? 'trace'
  const shown = ofLevel(lines, least)
  const { isBusy, problem: fault, run } = useAct()
  const save = async () => {
    const text = `${toLogText(await fetchLogs(id))}\n`
    offer(new Blob([text], { type: 'text/plain' }), `job-${id}.log`)
  }
  return (
    <Card
      title="Log"
      aside={
        lines.length > 0 && (
          <>
            <Choice<JobLogLevel>
              label="Least level"
              value={least}
              options={levels.map((value) => ({ value, label: value === 'trace' ? 'all' : value }))}
              onChange={(level) => search.set({ level: level === 'trace' ? undefined : level })}
            />
            <Copy text={toLogText(shown)} label="Copy the lines that are shown" />
            <Button size="small" isBusy={isBusy} onClick={() => void run(save)}>
              Save all
            </Button>
          </>
        )
      }
      isFlush
    >
      <ProblemNote problem={fault ?? problem} />
      {!isKnown && !problem && <Waiting height={80} />}
      {isKnown && lines.length === 0 && (
        <p className={css.none}>
          {isOpen ? 'Nothing yet.' : 'It has logged nothing.'} A handler writes here with{' '}
          <code>log.info(…)</code> of its context.
        </p>
      )}
      {lines.length > 0 && (
        <Tail
          lines={shown}
          isOpen={isOpen}
          earlier={
            hasEarlier && (
              <Button size="small" isBusy={isBusy} onClick={() => void run(loadEarlier)}>
                Load earlier lines
              </Button>
            )
          }
        />
      )}
    </Card>
  )
}

interface TailProps {
  readonly lines: readonly Line[]
  readonly isOpen: boolean
  readonly earlier: React.ReactNode
}

const nearPx = 24

/** Follows the end until one scrolls away from it. */
function Tail({ lines, isOpen, earlier }: TailProps) {
  const place = useRef<HTMLElement>(null)
  const [isFollowing, setFollowing] = useState(true)
  const last = lines.at(-1)?.number
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new last line is what is followed
  useEffect(() => {
    const { current: box } = place
    if (isFollowing && box) box.scrollTop = box.scrollHeight
  }, [last, isFollowing])
  const look = () => {
    const { current: box } = place
    if (box) setFollowing(box.scrollHeight - box.scrollTop - box.clientHeight < nearPx)
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which must be possible by keyboard as well */}
      <section ref={place} className={css.tail} tabIndex={0} aria-label="Lines of the log" onScroll={look}>
        {earlier && <div className={css.earlier}>{earlier}</div>}
        <ol>
          {lines.map((line) => (
            <LogRow key={line.number} line={line} />
          ))}
        </ol>
        {lines.length === 0 && <p className={css.none}>No line of this level.</p>}
      </section>
      {isOpen && (
        <div className={css.foot}>
          <Checkbox label="Follow the end" isLabelShown isChecked={isFollowing} onChange={setFollowing} />
        </div>
      )}
    </>
  )
}

const time = new Intl.DateTimeFormat('sv-SE', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
})

function LogRow({ line: { at, attempt, level, message, details } }: { readonly line: Line }) {
  return (
    <li className={`${css.line} ${css[level] ?? ''}`}>
      <time className={css.faint} dateTime={at} title={new Date(at).toLocaleString()}>
        {time.format(new Date(at))}
      </time>
      <span className={css.level}>{level}</span>
      <span className={css.faint} title={`Attempt ${attempt}`}>
        #{attempt}
      </span>
      <span className={css.message}>
        {message}
        {details !== undefined && <span className={css.details}> {JSON.stringify(details)}</span>}
      </span>
    </li>
  )
}
