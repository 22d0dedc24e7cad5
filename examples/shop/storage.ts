import { fileURLToPath } from 'node:url'

/** A path below the one folder that the shop writes to. Web process and workers must both reach it. */
export function stored(...parts: readonly string[]): string {
  return fileURLToPath(new URL(['var', ...parts].join('/'), import.meta.url))
}
