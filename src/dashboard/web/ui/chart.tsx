import { useEffect, useId, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import css from './chart.module.css'
import { inkOf, useTheme } from './theme.js'

export interface Line {
  readonly label: string
  readonly values: readonly (number | null)[]
  /** Of `--chart-1` and so on, or a state's: a name without its dashes. */
  readonly color: string
  /** `area`: filled, and stacked on the areas before it. Default `line`. */
  readonly kind?: 'line' | 'area' | 'dashed'
}

interface ChartProps {
  /** What it shows, in a few words: read aloud, and shown above. */
  readonly title: string
  readonly from: string
  readonly stepMs: number
  readonly lines: readonly Line[]
  readonly tell: (value: number) => string
  readonly height?: number
  /** Of a value that nothing exceeds, such as a part. Default: what is there. */
  readonly most?: number
  /** The scale reaches at least so far, so that little does not look like much. Default 1. */
  readonly least?: number
}

/** Lines over time. Pointing at one chart points at the same moment in all others of the page. */
export function Chart({ title, from, stepMs, lines, tell, height = 170, most, least = 1 }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const id = useId()
  const theme = useTheme()
  const start = new Date(from).getTime() / 1000
  const shape = lines.map(({ label, color, kind }) => `${label} ${color} ${kind}`).join('|')
  const plot = useRef<uPlot>(undefined)
  const data = toData(start, stepMs, lines)
  const latest = useRef({ data, lines, tell })
  latest.current = { data, lines, tell }

  // The theme is no part of what is drawn, and yet all colours are of it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the lines, `theme` for their colours
  useEffect(() => {
    const { current: element } = place
    if (!element) return
    const made = new uPlot(
      optionsOf(element, latest, stepMs, height, (top) => most ?? Math.max(top * 1.1, least)),
      latest.current.data as uPlot.AlignedData,
      element,
    )
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [shape, stepMs, height, most, least, theme])

  useEffect(() => {
    plot.current?.setData(data as uPlot.AlignedData)
  }, [data])

  return (
    <figure className={css.chart} aria-labelledby={id}>
      <figcaption id={id} className={css.title}>
        {title}
      </figcaption>
      <div ref={place} className={css.place} style={{ height }} aria-hidden="true" />
      <ul className={css.legend}>
        {lines.map(({ label, color, values, kind }) => (
          <li key={label}>
            <span
              className={`${css.mark} ${kind === 'dashed' ? css.dashed : ''}`}
              style={{ color: `var(--${color})` }}
              aria-hidden="true"
            />
            {label} <strong>{tellLast(values, tell)}</strong>
          </li>
        ))}
      </ul>
    </figure>
  )
}

function tellLast(values: readonly (number | null)[], tell: (value: number) => string): string {
  const last = values.findLast((value) => value !== null)
  return last === undefined || last === null ? '–' : tell(last)
}

/** Times, then each line; an area stands on the areas before it. */
function toData(start: number, stepMs: number, lines: readonly Line[]): (number | null)[][] {
  const length = Math.max(0, ...lines.map(({ values }) => values.length))
  const times = Array.from({ length }, (_, at) => start + (at * stepMs) / 1000)
  const ground = new Array<number>(length).fill(0)
  const drawn = lines.map(({ kind, values }) =>
    kind === 'area'
      ? values.map((value, at) => {
          ground[at] = (ground[at] ?? 0) + (value ?? 0)
          return ground[at] ?? 0
        })
      : [...values],
  )
  return [times, ...drawn]
}

type Latest = {
  readonly current: Pick<ChartProps, 'lines' | 'tell'> & { readonly data: (number | null)[][] }
}

const cursors = uPlot.sync('page')

function optionsOf(
  element: HTMLElement,
  latest: Latest,
  stepMs: number,
  height: number,
  topOf: (highest: number) => number,
): uPlot.Options {
  const ink = inkOf(element)
  const axis = {
    stroke: ink('ink-faint'),
    font: '11px system-ui',
    grid: { stroke: ink('chart-grid'), width: 1 },
  }
  const { lines } = latest.current
  return {
    width: element.clientWidth,
    height,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: cursors.key }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, __, highest) => [0, topOf(highest)] } },
    axes: [
      { ...axis, ticks: { show: false }, size: 26, space: 64, values: timesOf(stepMs) },
      {
        ...axis,
        ticks: { show: false },
        size: 58,
        values: (_, splits) => splits.map((value) => latest.current.tell(value)),
      },
    ],
    // Areas are drawn from the top of the stack down.
    series: [{}, ...lines.map((line) => seriesOf(line, ink))],
    bands: bandsOf(lines),
    plugins: [tip(latest)],
  }
}

function seriesOf({ color, kind }: Line, ink: (name: string) => string): uPlot.Series {
  const stroke = ink(color)
  return {
    stroke,
    width: 1.75,
    points: { show: true, size: 5, fill: stroke, filter: alone },
    ...(kind === 'area' ? { fill: withAlpha(stroke) } : {}),
    ...(kind === 'dashed' ? { dash: [5, 4] } : {}),
  }
}

/** A value between two gaps makes no line, and would not be seen. */
function alone(plot: uPlot, at: number): number[] {
  const values = plot.data[at] ?? []
  const isGap = (value: unknown) => value === null || value === undefined
  return Array.from(values).flatMap((value, each) =>
    !isGap(value) && isGap(values[each - 1]) && isGap(values[each + 1]) ? each : [],
  )
}

function bandsOf(lines: readonly Line[]): uPlot.Band[] {
  const areas = lines.flatMap(({ kind }, at) => (kind === 'area' ? [at + 1] : []))
  return areas.slice(1).map((upper, at) => ({ series: [upper, areas[at] ?? 0] }))
}

function withAlpha(color: string): string {
  return color.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.2)')
}

function timesOf(stepMs: number): uPlot.Axis.Values {
  const hours = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
  const days = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })
  return (_, splits) => {
    const spanMs = ((splits.at(-1) ?? 0) - (splits[0] ?? 0)) * 1000
    const format = stepMs >= 3_600_000 && spanMs > 2 * 86_400_000 ? days : hours
    return splits.map((each) => format.format(each * 1000))
  }
}

/** What stands at the pointer, in words. */
function tip(latest: Latest): uPlot.Plugin {
  const box = document.createElement('div')
  box.className = css.tip ?? ''
  box.hidden = true
  return {
    hooks: {
      init: (plot) => void plot.over.append(box),
      setCursor(plot) {
        const { idx, left = 0 } = plot.cursor
        const isOver = idx !== null && idx !== undefined && left >= 0
        box.hidden = !isOver
        if (!isOver) return
        const { lines, data, tell } = latest.current
        const at = new Date((data[0]?.[idx] ?? 0) * 1000)
        box.replaceChildren(
          line(at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })),
          ...lines.map(({ label, values }) => {
            const value = values[idx]
            return line(`${label}: ${value === null || value === undefined ? '–' : tell(value)}`)
          }),
        )
        const isRight = left > plot.over.clientWidth / 2
        box.style.insetInlineStart = isRight ? '' : `${left + 12}px`
        box.style.insetInlineEnd = isRight ? `${plot.over.clientWidth - left + 12}px` : ''
      },
    },
  }
}

function line(text: string): HTMLElement {
  const element = document.createElement('div')
  element.textContent = text
  return element
}
