import type { JobsQuery } from '../../../api/contract.js'
import { addressOf } from '../../api/address.js'
import { send } from '../../api/call.js'
import { offer } from '../../ui/save.js'
import { createRowCounter, type ExportFormat, fileName } from './export.js'

/**
 * Fetches all that match, and hands it to the browser as a file.
 * @param onRows told of how many have come
 * @throws {Problem}, or what `signal` was aborted with
 */
export async function saveExport(
  query: JobsQuery & { readonly columns?: string },
  format: ExportFormat,
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<number> {
  const answer = await send(addressOf('GET /job-export', { query: { ...query, format } }), { signal })
  const counter = createRowCounter(format)
  const reader = answer.body?.getReader()
  // What has come goes into blobs, which a browser may keep on disk.
  let parts: BlobPart[] = []
  let blob = new Blob()
  for (;;) {
    const next = await reader?.read()
    if (!next || next.done) break
    counter.add(next.value)
    parts.push(next.value)
    onRows(counter.rows)
    if (parts.length >= partsAtOnce) {
      blob = new Blob([blob, ...parts])
      parts = []
    }
  }
  const type = answer.headers.get('Content-Type') ?? 'text/plain'
  offer(new Blob([blob, ...parts], { type }), fileName(format, new Date()))
  return counter.rows
}

const partsAtOnce = 200
