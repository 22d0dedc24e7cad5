import { formatDuration, formatMoment } from './moment.js'
import type {
  Comparison,
  NameMatch,
  PathStep,
  PathTerm,
  PathValue,
  QueryTerm,
  QueryTree,
  TextTerm,
} from './query.js'
import { isJobId } from './terms.js'

/** Writes a query as people would: `parseQuery` reads the same tree from it. */
export function formatQuery(tree: QueryTree | null): string {
  if (tree === null) return ''
  if (tree.kind === 'and') return tree.of.map((each) => grouped(each, ['or'])).join(' ')
  if (tree.kind === 'or') return tree.of.map((each) => grouped(each, ['and'])).join(' or ')
  if (tree.kind !== 'not') return formatTerm(tree)
  const what = grouped(tree.of, ['and', 'or'])
  return what.startsWith('(') ? `not ${what}` : `-${what}`
}

function grouped(tree: QueryTree, kinds: readonly QueryTree['kind'][]): string {
  const text = formatQuery(tree)
  return kinds.includes(tree.kind) ? `(${text})` : text
}

function formatTerm(term: QueryTerm): string {
  if (term.kind === 'state') return `state:${term.among.join(',')}`
  if (term.kind === 'name') return `${term.field}:${term.among.map(formatName).join(',')}`
  if (term.kind === 'id') return `${term.field}:${term.among.join(',')}`
  if (term.kind === 'none') return `${term.field}:none`
  if (term.kind === 'text') return formatText(term)
  if (term.kind === 'path') return formatPath(term)
  if (term.kind === 'number') return `${term.field}${operator(term.is)}${term.value}`
  if (term.kind === 'duration') return `${term.field}${term.is}${formatDuration(term.ms)}`
  return `${term.field}${term.is}${formatMoment(term.moment, term.is)}`
}

function operator(is: Comparison): string {
  return is === '=' ? ':' : is
}

/** A name as a value of a query. */
export function formatName(name: NameMatch): string {
  if (typeof name !== 'string') return written(name.like.map(escaped).join('*'), name.like.join(''))
  return /^none$/i.test(name) || name.includes('*') ? quote(name) : written(escaped(name), name)
}

/** As it is, where it has nothing that means something else. */
function written(escapedText: string, plain: string): string {
  return /^[^\s()",\\:=<>!][^\s()",\\]*$/.test(escapedText) && !/^none$/i.test(plain)
    ? escapedText
    : `"${escapedText}"`
}

function escaped(text: string): string {
  return text.replace(/["\\*]/g, '\\$&')
}

function quote(text: string): string {
  return `"${escaped(text)}"`
}

function formatText({ in: part, text }: TextTerm): string {
  if (part !== 'any')
    return `${part}:${isNoneOrAnything(text) ? quote(text) : writtenText(text, /^[^\s()",\\:=<>!]/)}`
  const isWord = !/[:=<>]|!=/.test(text) && !/^(and|or|not|&&?|\|\|?|-.*)$/is.test(text) && !isJobId(text)
  return isWord && !isNoneOrAnything(text) ? writtenText(text, /^[^\s()",\\!]/) : quote(text)
}

/** A star in a text is no more than that. */
function writtenText(text: string, first: RegExp): string {
  return first.test(text) && /^[^\s()",\\]*$/.test(text) ? text : quote(text)
}

function isNoneOrAnything(text: string): boolean {
  return /^none$/i.test(text) || /^\*+$/.test(text)
}

function formatPath({ in: part, path, is, value }: PathTerm): string {
  return `${part}${path.map(formatStep).join('')}${operator(is)}${formatValue(value)}`
}

function formatStep(step: PathStep): string {
  if (step === null) return '[*]'
  if (typeof step === 'number') return `[${step}]`
  return /^[^\s.,()[\]"*:=<>!\\]+$/.test(step) ? `.${step}` : `."${escaped(step)}"`
}

function formatValue(value: PathValue): string {
  if ('like' in value) return written(value.like.map(escaped).join('*'), '')
  return value.isText ? quote(value.text) : written(escaped(value.text), '')
}
