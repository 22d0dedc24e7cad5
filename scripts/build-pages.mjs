// The dashboard's pages: src/dashboard/web, built by Vite into one module, src/dashboard/generated/pages.ts. Each file is
// a text in it, compressed once and for all, so that an app's bundle may be a single file and nothing is read from disk.
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const root = fileURLToPath(new URL('..', import.meta.url))
const web = join(root, 'src/dashboard/web')
const target = join(root, 'src/dashboard/generated/pages.ts')
/** What the pages take from the rest: pure parts alone. */
const sources = [web, join(root, 'src/job'), fileURLToPath(import.meta.url), join(root, 'package-lock.json')]

const types = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

export async function buildPages() {
  if (existsSync(target) && newest(sources) < statSync(target).mtimeMs) return
  const { build } = await import('vite')
  const { default: react } = await import('@vitejs/plugin-react')
  const { output } = await build({
    configFile: false,
    root: web,
    base: './',
    logLevel: 'warn',
    plugins: [react()],
    build: {
      write: false,
      target: 'es2023',
      cssTarget: 'esnext',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      license: { fileName: 'assets/licenses.txt' },
      rolldownOptions: { input: join(web, 'index.html') },
    },
  })
  const files = output.filter(({ fileName }) => fileName.startsWith('assets/'))
  const page = output.find(({ fileName }) => fileName === 'index.html')
  if (!page) throw new Error('Vite has made no page.')
  write(files.map(toFile), String(page.source))
}

function toFile({ type, code, source, fileName }) {
  const content = Buffer.from(type === 'chunk' ? code : source)
  const kind = types[extname(fileName)]
  if (!kind) throw new Error(`What type is ${fileName}? scripts/build-pages.mjs does not know.`)
  return { name: fileName, type: kind, gzip: gzipSync(content, { level: 9 }).toString('base64') }
}

function write(files, html) {
  const lines = files.map((file) => `  ${JSON.stringify(file)},`).join('\n')
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(
    target,
    `// Made by scripts/build-pages.mjs. Do not edit.
export const page: string = ${JSON.stringify(html)}
export const files: readonly { readonly name: string; readonly type: string; readonly gzip: string }[] = [
${lines}
]
`,
  )
}

function newest(paths) {
  return Math.max(...paths.map(newestOf))
}

function newestOf(path) {
  const found = statSync(path)
  if (!found.isDirectory()) return found.mtimeMs
  return Math.max(found.mtimeMs, ...readdirSync(path).map((name) => newestOf(join(path, name))))
}
