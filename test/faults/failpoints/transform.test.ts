import { describe, expect, test } from 'vitest'
import { transform } from './transform.js'

function namesIn(source: string): string[] {
  return transform(source, 'part/file').points.map(({ name }) => name.replace('part/file:', ''))
}

describe('every await is listed', () => {
  test.each([
    ['a function', 'async function take() { await one(); await two() }', ['take#1', 'take#2']],
    ['one inside another', 'async function take() { await outer(await inner()) }', ['take#1', 'take#2']],
    ['an arrow with a name', 'const take = async () => await one()', ['take#1']],
    ['a function with a name of its own', 'const given = async function own() { await one() }', ['own#1']],
    [
      'a callback',
      'async function take() { await all(list.map(async (each) => await each)) }',
      ['take#1', 'take#2'],
    ],
    [
      'a method',
      'const pass = { async run() { await one() }, go: async () => { await two() } }',
      ['run#1', 'go#1'],
    ],
    [
      'a class',
      'class Crew { async start() { await one() } #stop = async () => { await two() } }',
      ['Crew.start#1', 'Crew.#stop#1'],
    ],
    [
      'a class without a name',
      'const Crew = class { static async [Symbol.for("x")]() { await one() } }',
      ['Crew.Symbol.for("x")#1'],
    ],
    ['an assignment', 'let take; take = async () => { await one() }', ['take#1']],
    ['outside of functions', 'const one = await two()', ['module#1']],
    [
      'functions of one name',
      'const a = { async run() { await 1 } }; const b = { async run() { await 2 } }',
      ['run#1', 'run#2'],
    ],
    [
      'for await',
      'async function take() { for await (const each of await list()) await each }',
      ['take#1', 'take#2', 'take#3'],
    ],
    ['an async generator', 'async function* take() { yield await one() }', ['take#1']],
    [
      'the odd places',
      'async function f() { return new (await a)() + (await b ? await c : -(await d)) }',
      ['f#1', 'f#2', 'f#3', 'f#4'],
    ],
    ['a default value', 'async function f() { const { a = await b } = c; throw await d }', ['f#1', 'f#2']],
    [
      'nothing else',
      '// await\nconst text = "await x", { await: y } = z; for (const a of b) { /* await */ }',
      [],
    ],
  ])('%s', (_, source, names) => {
    expect(namesIn(source)).toEqual(names)
  })

  test('with its kind and its line', () => {
    const { points } = transform('const a = await b\n\nfor await (const c of d) {}\n', 'part/file')

    expect(points).toEqual([
      { name: 'part/file:module#1', kind: 'await', line: 1 },
      { name: 'part/file:module#2', kind: 'for await', line: 3 },
    ])
  })

  test('and what it cannot change is refused, not left out', () => {
    expect(() => transform('async function f() { await using a = b() }', 'part/file')).toThrow(
      /await using a/,
    )
  })
})

describe('the changed code', () => {
  const source = `// é😀
async function take() {
  const text = 'é😀' + await f(await g())
  for await (const each of await h()) await await each
  return [async () => await x,
    (await y).z]
}`

  test('has the lines of the old one', () => {
    const { code } = transform(source, 'part/file')

    expect(code.split('\n')).toHaveLength(source.split('\n').length)
    expect(code.split('\n')[4]).toMatch(/^ {2}return \[async \(\) => __failpoint\.pass\(.*await x,.*\),$/)
  })

  test('is the old one when what was added is taken away', () => {
    const { code } = transform(source, 'part/file')

    const at = String.raw`__failpoint\.at\("[^"]*"\) && await __failpoint\.held\(\)`
    let bare = code.replace(/__failpoint\.each\("[^"]*", (.*?)\)\) /, '$1) ')
    const one = new RegExp(String.raw`__failpoint\.pass\(${at}, ((?:(?!__failpoint).)*?), ${at}\)`)
    while (one.test(bare)) bare = bare.replace(one, '$1')
    expect(bare).toBe(source)
  })
})
