import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import type { Answer } from '../answer.js'
import { isEnglish, toOurMessages } from './messages.js'

/** The file at an address below the board; `undefined` when there is none. */
export type Files = (path: string) => Promise<Answer | undefined>

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

/** Finds the files once, and serves no other: no address is ever turned into a path. */
export async function createFiles(uiFolder: string): Promise<Files> {
  const folder = join(uiFolder, 'static')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = new Map(
    entries
      .filter((entry) => entry.isFile() && extname(entry.name) in types)
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [`/static/${relative(folder, file).split(sep).join('/')}`, file]),
  )
  return async (path) => {
    const file = files.get(path)
    return file === undefined ? undefined : toAnswer(path, await readFile(file))
  }
}

function toAnswer(path: string, content: Buffer): Answer {
  return {
    status: 200,
    type: types[extname(path)] ?? 'application/octet-stream',
    body: isEnglish(path) ? toOurMessages(content.toString()) : content,
    isImmutable: hasHashInName(path),
  }
}

function hasHashInName(path: string): boolean {
  return /\.[0-9a-f]{10}\.(js|css)$/.test(path)
}
