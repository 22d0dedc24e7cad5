/** What is wrong with a written query. */
export interface QueryFault {
  /** What was expected, what came, at which character (the first is 1), and what to do. */
  readonly message: string
  /** The characters that are at fault: from an index of the text, up to another. */
  readonly from: number
  readonly to: number
}

export interface Span {
  readonly from: number
  readonly to: number
}

/** Leads out of the parser, and never beyond it. */
export class QueryRefusal extends Error {
  readonly fault: QueryFault

  constructor(message: string, { from, to }: Span) {
    super(message)
    this.fault = { message, from, to }
  }
}

export function at({ from }: Span): string {
  return `at character ${from + 1}`
}

/** Short, in quotes, as it was written. */
export function quoted(text: string): string {
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`
}
