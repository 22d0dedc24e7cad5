import { once } from 'node:events'
import type { Response } from 'express'
import type { ExportColumn } from '../../control/export-columns.js'
import { contentTypes, type ExportFormat } from '../../control/export-format.js'
import { toFilter } from './jobs.js'
import type { Call } from './route.js'

/** `GET /job-export?…`: all that match, as they are read. A table that is cut off in the middle does not look whole. */
export async function exportJobs(
  { deps, query, visitor, from, signal }: Call<'GET /job-export'>,
  res: Response,
): Promise<void> {
  const { format = 'csv', columns, ...said } = query
  let done = 0
  const pieces = deps.export(toFilter(said), {
    ...{ format, signal },
    ...(columns === undefined ? {} : { columns: columns.split(',') as ExportColumn[] }),
    onPage(jobs) {
      done = jobs
    },
  })
  const noted = { verb: 'export', args: { filter: said, format }, asker: { by: visitor.by, from } } as const
  await deps.audit.around(
    noted,
    async () => {
      // What makes no sense is known by the first piece.
      const first = await pieces.next()
      res.writeHead(200, headersFor(format))
      if (!first.done) await write(res, first.value, signal)
      for await (const piece of pieces) await write(res, piece, signal)
      res.end()
    },
    () => ({ outcome: { jobs: done, isWhole: !signal.aborted }, affected: done }),
  )
}

function headersFor(format: ExportFormat) {
  const [day = '', time = ''] = new Date().toISOString().split('T')
  const name = `jobs-${day}-${time.slice(0, 5).replace(':', '')}.${format}`
  return {
    'Content-Type': contentTypes[format],
    'Content-Disposition': `attachment; filename="${name}"`,
    // Proxies pass on what has come.
    'X-Accel-Buffering': 'no',
  }
}

/** Waits while the client takes no more. */
async function write(res: Response, piece: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || res.write(piece)) return
  await once(res, 'drain', { signal }).catch(() => {})
}
