import type { PathStep } from './query.js'

/**
 * The pieces of a written query, each with its place: from a character, up to another. There is no text that has none:
 * what makes no sense is told by whoever reads them.
 */
export type QueryToken = { readonly from: number; readonly to: number } & (
  | { readonly kind: 'open' | 'close' | 'minus' | 'comma' }
  /** Text to be found, or one of the words `and`, `or`, `not`. */
  | { readonly kind: 'word'; readonly written: Written }
  /** What stands before an operator. */
  | { readonly kind: 'field'; readonly text: string }
  | { readonly kind: 'operator'; readonly text: Operator }
  /** What stands behind an operator. */
  | { readonly kind: 'value'; readonly written: Written }
)

export type Operator = (typeof operators)[number]

const operators = ['!=', '>=', '<=', ':', '=', '>', '<'] as const

/** A word, or what stands in quotes. */
export interface Written {
  /** What stands before, between and behind each `*`. */
  readonly pieces: readonly string[]
  readonly isQuoted: boolean
  /** `false` where the quote at its end is missing. */
  readonly isClosed: boolean
}

export function plainText({ pieces }: Written): string {
  return pieces.join('*')
}

/** Each character is looked at once or twice, whatever the text. */
export function tokenize(text: string): QueryToken[] {
  const tokens: QueryToken[] = []
  let at = 0
  for (skipSpace(); at < text.length; skipSpace()) readTerm()
  return tokens

  function readTerm(): void {
    const from = at
    const char = text[at]
    if (char === '(' || char === ')' || char === ',') {
      at += 1
      const kind = char === '(' ? 'open' : char === ')' ? 'close' : 'comma'
      tokens.push({ kind, from, to: at })
    } else if (char === '-' && /[^\s)]/.test(text[at + 1] ?? ' ')) {
      at += 1
      tokens.push({ kind: 'minus', from, to: at })
    } else if (operatorAt(text, at)) {
      readOperator()
    } else if (char === '"') {
      const written = readQuoted()
      tokens.push({ kind: 'word', written, from, to: at })
    } else readHead()
  }

  /** A field, where an operator follows; else a word. */
  function readHead(): void {
    const from = at
    for (; at < text.length && !/[\s()"]/.test(text[at] ?? '') && !operatorAt(text, at); at += 1) {
      // The odd name of a path: payload."odd name"
      if (text[at] === '.' && text[at + 1] === '"') {
        at += 1
        readQuoted()
        at -= 1
      }
    }
    const to = at
    skipSpace()
    if (operatorAt(text, at)) {
      tokens.push({ kind: 'field', text: text.slice(from, to), from, to })
      readOperator()
      return
    }
    at = to
    tokens.push({ kind: 'word', written: bare(text.slice(from, to)), from, to })
  }

  function readOperator(): void {
    const operator = operatorAt(text, at)
    if (!operator) return
    tokens.push({ kind: 'operator', text: operator, from: at, to: at + operator.length })
    at += operator.length
    for (let isMore = true; isMore; ) {
      skipSpace()
      readValue()
      const end = at
      skipSpace()
      isMore = text[at] === ','
      if (isMore) {
        tokens.push({ kind: 'comma', from: at, to: at + 1 })
        at += 1
      } else at = end
    }
  }

  function readValue(): void {
    const from = at
    if (text[at] === '"') {
      const written = readQuoted()
      tokens.push({ kind: 'value', written, from, to: at })
      return
    }
    while (at < text.length && !/[\s()",]/.test(text[at] ?? '')) at += 1
    if (at > from) tokens.push({ kind: 'value', written: bare(text.slice(from, at)), from, to: at })
  }

  /** From the quote on, past the one at its end. A backslash makes `"`, `\` and `*` plain characters. */
  function readQuoted(): Written {
    const pieces: string[] = []
    let piece = ''
    for (at += 1; at < text.length; at += 1) {
      const char = text[at] ?? ''
      const next = text[at + 1] ?? ''
      if (char === '"') {
        at += 1
        return { pieces: [...pieces, piece], isQuoted: true, isClosed: true }
      }
      if (char === '\\' && /["\\*]/.test(next)) {
        piece += next
        at += 1
      } else if (char === '*') {
        pieces.push(piece)
        piece = ''
      } else piece += char
    }
    return { pieces: [...pieces, piece], isQuoted: true, isClosed: false }
  }

  function skipSpace(): void {
    while (at < text.length && /\s/.test(text[at] ?? '')) at += 1
  }
}

function bare(text: string): Written {
  return { pieces: text.split('*'), isQuoted: false, isClosed: true }
}

export function operatorAt(text: string, at: number): Operator | undefined {
  return operators.find((operator) => text.startsWith(operator, at))
}

/** The steps of a path such as `payload.items[0]."odd name"`; `undefined` where it is none. */
export function readPath(text: string): readonly PathStep[] | undefined {
  const path: PathStep[] = []
  for (let at = /^[a-z]*/i.exec(text)?.[0].length ?? 0; at < text.length; ) {
    step.lastIndex = at
    const found = step.exec(text)
    if (!found) return undefined
    const [whole, name, quoted, place] = found
    if (name !== undefined) path.push(name)
    else if (quoted !== undefined) path.push(quoted.replace(/\\(["\\*])/g, '$1'))
    else path.push(place === '*' ? null : Number(place))
    at += whole.length
  }
  return path.length > 0 ? path : undefined
}

const step = /\.([^.[\]"*]+)|\."((?:[^"\\]|\\.)*)"|\[(\d{1,9}|\*)\]/sy
