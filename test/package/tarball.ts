import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { oncePerRun } from '../support/once.js'

export const run = promisify(execFile)
export const checkout = fileURLToPath(new URL('../..', import.meta.url))

/** The path of what would be published, packed once for all test files. */
export async function packedTarball(): Promise<string> {
  const folder = await oncePerRun('tarball', async (target) => {
    await buildIfStale()
    await npm(['pack', '--ignore-scripts', '--pack-destination', target], checkout)
  })
  const [file = ''] = readdirSync(folder)
  return join(folder, file)
}

/**
 * An npm project with the tarball and all that its apps need: each app is a folder in it. Tools have the versions of
 * this repository, so that npm need not ask for others.
 */
export async function installedPackage(): Promise<string> {
  const tarball = await packedTarball()
  return oncePerRun('installed', async (folder) => {
    const tools = [
      ...['express', 'zod', 'tsx', 'typescript', 'vitest', '@types/express', '@types/node'],
      '@opentelemetry/api',
    ]
    await npm(['init', '--yes'], folder)
    await npmInstall(folder, [tarball, ...tools.map((name) => `${name}@${versionHere(name)}`)])
  })
}

/** For copies of an npm project that leave out the apps in it. */
export function isNoApp(path: string): boolean {
  return !/\/(typescript|javascript|commonjs|consumer|pair)-\w{6}$/.test(path)
}

export async function npmInstall(folder: string, packages: readonly string[]): Promise<void> {
  await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], folder)
}

async function npm(args: readonly string[], folder: string): Promise<void> {
  await run('npm', args, { cwd: folder, timeout: 170_000 })
}

export function versionHere(name: string): string {
  const manifest = readFileSync(join(checkout, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

/** `npm test` has built just before; who runs one file alone may have not. */
async function buildIfStale(): Promise<void> {
  const built = statSync(join(checkout, 'dist/index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = readdirSync(join(checkout, 'src'), { recursive: true, encoding: 'utf8' })
  const isStale = sources.some((file) => statSync(join(checkout, 'src', file)).mtimeMs > built)
  if (isStale) await run(process.execPath, ['scripts/build.mjs'], { cwd: checkout })
}
