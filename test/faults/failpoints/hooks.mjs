// In the loader's thread: gives the prepared source of a built file, if the built one is still the one it was made of.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

let files = {}

export function initialize(data) {
  files = data
}

export async function load(url, context, nextLoad) {
  const prepared = files[url]
  if (prepared === undefined) return nextLoad(url, context)
  // From the disk, past other loaders: what was prepared is what was built.
  const built = await readFile(fileURLToPath(url))
  if (createHash('sha256').update(built).digest('hex') !== prepared.hash)
    throw new Error(`${url} was built anew since its failpoints were prepared.`)
  return { format: 'module', shortCircuit: true, source: await readFile(prepared.file, 'utf8') }
}
