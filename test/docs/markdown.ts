import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every document for people, by its path from the root. */
export function documents(): string[] {
  const inFolder = (folder: string) =>
    readdirSync(join(root, folder)).map((name) => (folder === '.' ? name : `${folder}/${name}`))
  return ['.', 'docs'].flatMap(inFolder).filter((path) => path.endsWith('.md'))
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** A program that stands in a document whole: a block that says which file it is, as in "```ts file=src/app.ts". */
export interface Program {
  readonly file: string
  readonly text: string
}

export function programsIn(path: string): Program[] {
  const blocks = read(path).matchAll(/^( *)```ts file=(\S+)\n([\s\S]*?)\n\1```/gm)
  return Array.from(blocks, ([, indent = '', file = '', text = '']) => ({
    file,
    text: `${text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')}\n`,
  }))
}

/** The section below a heading, up to the next one of its rank or above. */
export function section(path: string, heading: string): string {
  const lines = withoutBlocks(read(path)).split('\n')
  const start = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'))
  if (start === -1) throw new Error(`${path} has no section "${heading}".`)
  const rank = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 0
  const length = lines.slice(start + 1).findIndex((line) => (/^#+(?= )/.exec(line)?.[0].length ?? 9) <= rank)
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n')
}

/** The rows of all tables in a text, without headings, each as its cells. */
export function rowsIn(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'))
  const isBody = (line: string, at: number) =>
    !/^\|[-|]+$/.test(line) && !/^\|[-|]+$/.test(rows[at + 1] ?? '')
  return rows.filter(isBody).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  )
}

/** What stands between the backticks of a text. */
export function codeIn(text: string | undefined): string[] {
  return Array.from((text ?? '').matchAll(/`([^`]+)`/g), ([, code = '']) => code)
}

/** As GitHub makes them of headings. */
export function anchorsOf(text: string): string[] {
  const headings = withoutBlocks(text).matchAll(/^#+ (.+)$/gm)
  return Array.from(headings, ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  )
}

export function withoutBlocks(text: string): string {
  return text.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '')
}
