import { useEffect, useId, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import css from './chart.module.css'
import { bandsOf, inOrder, isolated, toData, wholeSteps } from './chart-data.js'
import { tellMoment } from './format.js'
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
  /** Between the marks of the scale. Default: whole ones, or parts where the scale may end below 1. */
  readonly steps?: readonly number[]
}

/** Lines over time. Pointing at one chart points at the same moment in all others of the page. */
export function Chart({
  title,
  from,
  stepMs,
  lines,
  tell,
  height = 170,
  most,
  least = 1,
  steps = least < 1 ? undefined : wholeSteps,
}: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const id = useId()
  const theme = useTheme()
  const shape = lines.map(({ label, color, kind }) => `${label} ${color} ${kind}`).join('|')
  const plot = useRef<uPlot>(undefined)
  const data = toData(from, stepMs, lines)
  const latest = useRef({ data, lines, tell })
  latest.current = { data, lines, tell }

  // The theme is no part of what is drawn, and yet all colours are of it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the lines, `theme` for their colours
  useEffect(() => {
    const { current: element } = place
    if (!element) return
    const made = new uPlot(
      optionsOf(element, latest, { stepMs, height, most, least, steps }),
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
  }, [shape, stepMs, height, most, least, steps, theme])

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

type Latest = {
  readonly current: Pick<ChartProps, 'lines' | 'tell'> & { readonly data: (number | null)[][] }
}

const cursors = uPlot.sync('page')
const axisFont = 11
const axisGap = 12
const usualWidth = 58

function optionsOf(
  element: HTMLElement,
  latest: Latest,
  { stepMs, height, most, least, steps }: Scale,
): uPlot.Options {
  const ink = inkOf(element)
  const axis = {
    stroke: ink('ink-faint'),
    font: `${axisFont}px system-ui`,
    grid: { stroke: ink('chart-grid'), width: 1 },
    ticks: { show: false },
  }
  const { lines } = latest.current
  return {
    width: element.clientWidth,
    height,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: cursors.key }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, __, highest) => [0, most ?? Math.max(highest * 1.1, least)] } },
    axes: [
      { ...axis, size: 26, space: 64, values: timesOf(stepMs) },
      {
        ...axis,
        size: widthOf,
        values: (_, splits) => splits.map((value) => latest.current.tell(value)),
        ...(steps ? { incrs: [...steps] } : {}),
      },
    ],
    series: [{}, ...inOrder(lines).map((line) => seriesOf(line, ink))],
    bands: bandsOf(lines).map((series) => ({ series })),
    plugins: [tip(latest)],
  }
}

interface Scale {
  readonly stepMs: number
  readonly height: number
  readonly most: number | undefined
  readonly least: number
  readonly steps: readonly number[] | undefined
}

/** Of an axis, in which the longest of its words has room. Charts below each other are alike where they can be. */
function widthOf(plot: uPlot, words: readonly string[] | null): number {
  plot.ctx.save()
  plot.ctx.font = `${axisFont * devicePixelRatio}px system-ui`
  const widths = (words ?? []).map((word) => plot.ctx.measureText(word).width / devicePixelRatio)
  plot.ctx.restore()
  return Math.max(usualWidth, Math.ceil(Math.max(0, ...widths)) + axisGap)
}

function seriesOf({ color, kind }: Line, ink: (name: string) => string): uPlot.Series {
  const stroke = ink(color)
  return {
    stroke,
    width: 1.75,
    points: { show: false, size: 5, fill: stroke, filter: (plot, at) => isolated(plot.data[at] ?? []) },
    ...(kind === 'area' ? { fill: withAlpha(stroke) } : {}),
    ...(kind === 'dashed' ? { dash: [5, 4] } : {}),
  }
}

function withAlpha(color: string): string {
  return color.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.2)')
}

function timesOf(stepMs: number): uPlot.Axis.Values {
  const hours = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
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
        const at = (data[0]?.[idx] ?? 0) * 1000
        box.replaceChildren(
          row(tellMoment(at).slice(0, -':00'.length)),
          ...lines.map(({ label, values, color }) => {
            const value = values[idx]
            return row(`${label}: ${value === null || value === undefined ? '–' : tell(value)}`, color)
          }),
        )
        const isRight = left > plot.over.clientWidth / 2
        box.style.insetInlineStart = isRight ? '' : `${left + 12}px`
        box.style.insetInlineEnd = isRight ? `${plot.over.clientWidth - left + 12}px` : ''
      },
    },
  }
}

function row(text: string, color?: string): HTMLElement {
  const element = document.createElement('div')
  if (color) {
    const mark = document.createElement('span')
    mark.className = css.mark ?? ''
    mark.style.color = `var(--${color})`
    element.append(mark)
  }
  element.append(text)
  return element
}
