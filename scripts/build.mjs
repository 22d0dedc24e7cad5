// Builds dist/ from src/: generated parts first, then plain ES modules with their types.
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' })

run('scripts/generate.mjs')
rmSync(join(root, 'dist'), { recursive: true, force: true })
run('node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json')
chmodSync(join(root, 'dist/cli/main.js'), 0o755)
