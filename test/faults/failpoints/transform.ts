import { parseAst } from 'vitest/node'

/** A place where a process may be ended: one `await`, or the steps of one `for await`. */
export interface Failpoint {
  /**
   * File, function and which await of it, in the order of the source: `enqueue/enqueue:enqueue#2`. Awaits in functions
   * without a name count to the named one around them; a method is `Class.method`; outside of functions it is `module`.
   */
  readonly name: string
  readonly kind: 'await' | 'for await'
  /** In the compiled file. */
  readonly line: number
}

export interface Transformed {
  readonly code: string
  readonly points: readonly Failpoint[]
}

/**
 * Puts a failpoint before and after each `await` of a module. What is added stands on the lines that are there, so that
 * lines in stacks stay right, and adds no await of its own: unless a pause is armed, everything happens in the same turn
 * of the event loop as without it. (The steps of a `for await` take a few turns more.)
 *
 * @param file how the names begin: the path below dist/ without its ending
 */
export function transform(source: string, file: string): Transformed {
  const points: Failpoint[] = []
  const edits: Edit[] = []
  const numbers = new Map<string, number>()
  for (const { node, name, depth } of findAwaits(parseAst(source) as unknown as Node, source)) {
    const number = (numbers.get(name) ?? 0) + 1
    numbers.set(name, number)
    const kind = node.type === 'AwaitExpression' ? 'await' : 'for await'
    const point = { name: `${file}:${name}#${number}`, kind, line: lineOf(source, node.start) } as const
    points.push(point)
    edits.push(
      kind === 'await' ? aroundAwait(node, point.name, depth) : aroundIterable(node, point.name, depth),
    )
  }
  return { code: applyEdits(source, edits), points }
}

/** As far as it is looked at. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly prefix: string
  readonly suffix: string
  /** How deep its node lies: of two that begin or end together, the deeper one is inside. */
  readonly depth: number
}

/** `await x` → `pass(<before>, await x, <after>)`: arguments are evaluated in their order, and `pass` gives the second. */
function aroundAwait({ start, end }: Node, name: string, depth: number): Edit {
  const at = (when: string) =>
    `__failpoint.at(${JSON.stringify(`${name}:${when}`)}) && await __failpoint.held()`
  return { start, end, depth, prefix: `__failpoint.pass(${at('before')}, `, suffix: `, ${at('after')})` }
}

function aroundIterable(node: Node, name: string, depth: number): Edit {
  const { start, end } = node.right as Node
  return { start, end, depth, prefix: `__failpoint.each(${JSON.stringify(name)}, `, suffix: ')' }
}

function applyEdits(source: string, edits: readonly Edit[]): string {
  const insertions = edits.flatMap(({ start, end, prefix, suffix, depth }) => [
    { at: start, text: prefix, rank: depth },
    { at: end, text: suffix, rank: -1e6 - depth },
  ])
  // At one place, what ends comes before what begins; inner ends first, outer beginnings first.
  insertions.sort((one, other) => one.at - other.at || one.rank - other.rank)
  let [code, from] = ['', 0]
  for (const { at, text } of insertions) {
    code += source.slice(from, at) + text
    from = at
  }
  return code + source.slice(from)
}

interface Found {
  readonly node: Node
  readonly name: string
  readonly depth: number
}

function findAwaits(program: Node, source: string): Found[] {
  const found: Found[] = []
  visit(program, undefined, 'module', undefined, 0)
  return found.sort((one, other) => one.node.start - other.node.start || one.depth - other.depth)

  function visit(
    node: Node,
    parent: Node | undefined,
    within: string,
    className: string | undefined,
    depth: number,
  ): void {
    if (node.type === 'VariableDeclaration' && node.kind === 'await using')
      throw new Error(`"await using" has no failpoint yet: ${source.slice(node.start, node.end)}`)
    const name = isFunction(node) ? (nameOf(node, parent, className, source) ?? within) : within
    const owner = isClass(node) ? (nameOf(node, parent, undefined, source) ?? 'class') : className
    if (node.type === 'AwaitExpression' || (node.type === 'ForOfStatement' && node.await === true))
      found.push({ node, name, depth })
    for (const child of childrenOf(node)) visit(child, node, name, owner, depth + 1)
  }
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter((value): value is Node => typeof value === 'object' && value !== null && 'type' in value)
}

function isFunction({ type }: Node): boolean {
  return type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression'
}

function isClass({ type }: Node): boolean {
  return type === 'ClassDeclaration' || type === 'ClassExpression'
}

/** Its own name, or that of the variable or property that it is given to. */
function nameOf(
  node: Node,
  parent: Node | undefined,
  className: string | undefined,
  source: string,
): string | undefined {
  const text = (part: unknown) => source.slice((part as Node).start, (part as Node).end)
  if (node.id) return text(node.id)
  if (parent?.type === 'VariableDeclarator') return text(parent.id)
  if (parent?.type === 'AssignmentExpression' && parent.right === node) return text(parent.left)
  if (parent?.type === 'Property' && parent.value === node) return text(parent.key)
  if (parent?.type === 'MethodDefinition' || parent?.type === 'PropertyDefinition')
    return className === undefined ? text(parent.key) : `${className}.${text(parent.key)}`
  return undefined
}

function lineOf(source: string, at: number): number {
  return source.slice(0, at).split('\n').length
}
