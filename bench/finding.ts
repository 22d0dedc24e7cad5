/** One line of the report. */
export interface Finding {
  readonly part: string
  /** What was measured. */
  readonly name: string
  /** What the figure is of another, and of which. */
  readonly ratio?: string
  /** The figure with its unit and spread. */
  readonly figure: string
  readonly target?: string
  readonly met?: boolean
}

export const headings = ['part', 'measured', 'ratio', 'figure: median (spread)', 'target', 'met'] as const

/** Ratios first: on a shared machine only they mean something. */
export function toCells({ part, name, ratio = '', figure, target = '', met }: Finding): string[] {
  return [part, name, ratio, figure, target, met === undefined ? '' : met ? 'yes' : 'NO']
}
