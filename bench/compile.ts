import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Where the contenders are as plain JavaScript. */
export const compiledFolder = at('compiled')

/**
 * Compiles the contenders, and makes the Prisma client of the hand-written glue.
 *
 * They run on plain Node, as apps do in production: a loader's way of compiling would be measured along. `celeriac`
 * stays an import, and leads to the built package.
 */
export async function compileContenders(): Promise<void> {
  removeCompiled()
  generateGlueClient()
  await build({
    entryPoints: [...contenders(), { in: join(compiledFolder, 'prisma/client.ts'), out: 'glue-client' }],
    outdir: compiledFolder,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // The project's own settings lead `celeriac` to its sources.
    tsconfigRaw: {},
    logLevel: 'error',
  })
}

/** The contender of another checkout, on the package that was built there. Gives its folder. */
export async function compileOther(checkout: string): Promise<string> {
  const outdir = join(checkout, 'bench/compiled')
  await build({
    entryPoints: [join(checkout, 'bench/contender/celeriac.ts')],
    outdir,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    tsconfigRaw: {},
    logLevel: 'error',
  })
  return outdir
}

export function removeCompiled(): void {
  rmSync(compiledFolder, { recursive: true, force: true })
}

function contenders(): { in: string; out: string }[] {
  return readdirSync(at('contender'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ in: at(`contender/${file}`), out: file.replace(/\.ts$/, '') }))
}

function generateGlueClient(): void {
  execFileSync(
    process.execPath,
    [at('../node_modules/prisma/build/index.js'), 'generate', '--schema', at('glue.prisma')],
    {
      cwd: at('..'),
      // It says on stderr what went well, too; when it fails, the error carries it.
      stdio: 'pipe',
      env: { ...process.env, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
    },
  )
}
