import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const app = fileURLToPath(new URL('app', import.meta.url))

/**
 * Copies what is tested into the run's folder: the built package and the app that uses it, compiled. A run starts
 * processes for as long as it lasts, and must not see what is built meanwhile.
 */
export async function freezeCode(folder: string): Promise<void> {
  if (existsSync(folder)) return
  mkdirSync(folder, { recursive: true })
  for (const part of ['package.json', 'dist', 'prisma'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  await build({
    entryPoints: sourcesBelow(app),
    outdir: join(folder, 'app'),
    outbase: app,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  })
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}
