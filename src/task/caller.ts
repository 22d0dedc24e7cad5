import { fileURLToPath, pathToFileURL } from 'node:url'

type Callee = (...parameters: never[]) => unknown

/**
 * The URL of the file whose code called `callee`, or `undefined` where the runtime does not tell.
 *
 * Call sites are read, not the printed stack: source maps rewrite the latter, and a compiled file would give its
 * source's name.
 */
export function callerUrl(callee: Callee): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = 1
    Error.prepareStackTrace = (_error, sites) =>
      sites[0]?.getFileName() ?? sites[0]?.getScriptNameOrSourceURL()
    Error.captureStackTrace(holder, callee)
    return toUrl(holder.stack)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    // Node takes a property that is `undefined` for a formatter that is missing; so was it before.
    if (prepareStackTrace) Error.prepareStackTrace = prepareStackTrace
    else Reflect.deleteProperty(Error, 'prepareStackTrace')
  }
}

function toUrl(file: unknown): string | undefined {
  if (typeof file !== 'string' || file === '') return undefined
  if (file.startsWith('file:')) return file
  const isPath = file.startsWith('/') || /^[a-z]:[\\/]/i.test(file)
  return isPath ? pathToFileURL(file).href : undefined
}

/** The path of a `file:` URL, without the query that loaders put there. */
export function toPath(url: string): string {
  return fileURLToPath(new URL(url.split(/[?#]/, 1)[0] ?? url))
}
