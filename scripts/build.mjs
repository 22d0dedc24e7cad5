// Builds dist/ from src/: generated parts first, then plain ES modules with their types.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' })

run('scripts/generate.mjs')
// Beside the old one, then in its place: a process that runs from dist/ never finds half of it.
const [next, old] = [`dist.next-${process.pid}`, `dist.old-${process.pid}`]
try {
  run('node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json', '--outDir', next)
  chmodSync(join(root, next, 'cli/main.js'), 0o755)
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), join(root, old))
  renameSync(join(root, next), join(root, 'dist'))
} finally {
  for (const folder of [next, old]) rmSync(join(root, folder), { recursive: true, force: true })
}
