import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from './command-line.js'

/** An app's folder of a few files, that finds the built package and the tools of this repository. */
export function makeSmallApp(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-app-'))
  const packages = join(folder, 'node_modules')
  mkdirSync(packages)
  symlinkSync(root, join(packages, 'celeriac'))
  for (const name of ['tsx', 'express']) symlinkSync(join(root, 'node_modules', name), join(packages, name))
  for (const [path, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...files }))
    writeSource(folder, path, text)
  return folder
}

export function writeSource(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
