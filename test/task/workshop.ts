import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../..', import.meta.url))
const tsxFolder = join(repository, 'node_modules/tsx/dist')

/** As the command `tsx` starts Node. */
const tsxFlags = [
  '--require',
  join(tsxFolder, 'preflight.cjs'),
  '--import',
  pathToFileURL(join(tsxFolder, 'loader.mjs')).href,
]

/** A small app in a folder of its own, whose files import the package as `celeriac`. */
export interface Workshop {
  readonly root: string
  write(files: Readonly<Record<string, string>>): Promise<void>
  link(from: string, to: string): Promise<void>
  /** Runs a script in its own Node and gives what it printed last, as JSON. */
  run(
    script: string,
    options?: { tsx?: boolean; flags?: string[]; env?: NodeJS.ProcessEnv },
  ): Promise<unknown>
  /** Puts another copy of the package into a folder of the app. */
  installCopy(folder: string): Promise<void>
  /** Gives the app a tsx of its own. */
  installTsx(): Promise<void>
  remove(): Promise<void>
}

export async function createWorkshop(): Promise<Workshop> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'celeriac-')))
  await writeFile(join(root, 'package.json'), '{"type":"module"}')
  await writePackage(join(root, 'node_modules/celeriac'))
  return {
    root,
    async write(files) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(root, path)), { recursive: true })
        await writeFile(join(root, path), text)
      }
    },
    async link(from, to) {
      await mkdir(dirname(join(root, from)), { recursive: true })
      await symlink(to, join(root, from))
    },
    async run(script, { tsx = false, flags = [], env = {} } = {}) {
      const loader = tsx ? tsxFlags : []
      const { stdout } = await run(process.execPath, [...loader, ...flags, join(root, script)], {
        cwd: root,
        env: { PATH: process.env.PATH, ...env },
      })
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null')
    },
    installCopy: (folder) => writePackage(join(root, folder, 'node_modules/celeriac')),
    installTsx: () => symlink(join(repository, 'node_modules/tsx'), join(root, 'node_modules/tsx')),
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

async function writePackage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"name":"celeriac","type":"module","exports":"./index.js"}')
  await writeFile(join(folder, 'index.js'), (await builtPackage).outputFiles[0]?.contents ?? '')
}

const entry = `
  export { defineTask, definitionOf } from './src/task/define.ts'
  export { bind } from './src/task/binding.ts'
  export { discover } from './src/task/discover.ts'
  export { assertNotDiscovering } from './src/task/discovering.ts'
  export { callerUrl } from './src/task/caller.ts'
  export { loadTasks } from './src/task/load.ts'
  export { readEnvironment } from './src/config/env.ts'
  export { defineConfig } from './src/config/define.ts'
  export { findConfigFile, loadConfig } from './src/config/load.ts'
  export { resolveConfig } from './src/config/resolve.ts'
  export { enableTypeScript } from './src/config/typescript.ts'
  import { assertNotDiscovering } from './src/task/discovering.ts'
  import { callerUrl } from './src/task/caller.ts'
  export function celeriac() { assertNotDiscovering(callerUrl(celeriac)); return 'open' }
`

/** The parts under test as one file of plain JavaScript, so that Node itself can load them. */
const builtPackage = build({
  stdin: { contents: entry, resolveDir: repository, loader: 'ts' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
})
