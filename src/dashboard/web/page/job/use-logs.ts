import { useEffect, useRef, useState } from 'react'
import { call } from '../../api/call.js'
import { useApi } from '../../api/use-api.js'
import { type Line, mergeLines } from './log-lines.js'

const atOnce = 500

/** The lines of a job: the last ones as they come, and earlier ones when they are asked for. */
export function useLogs(id: string) {
  const { data, problem } = useApi('GET /jobs/:id/logs', { params: { id } })
  const [kept, setKept] = useState<readonly Line[]>([])
  const [hasEarlier, setEarlier] = useState<boolean>()
  const latest = useRef(id)
  useEffect(() => {
    latest.current = id
    setKept([])
    setEarlier(undefined)
  }, [id])
  // What has been seen stays, also when so many come that the last ones begin behind it.
  useEffect(() => {
    if (data) setKept((before) => mergeLines(before, data.lines))
  }, [data])
  const lines = data ? mergeLines(kept, data.lines) : kept

  const loadEarlier = async () => {
    const [first] = lines
    if (!first) return
    const found = await call('GET /jobs/:id/logs', {
      params: { id },
      query: { before: first.number, limit: atOnce },
    })
    if (latest.current !== id) return
    setKept((before) => mergeLines(found.lines, before))
    setEarlier(found.hasMore)
  }

  return {
    lines,
    problem,
    isKnown: data !== undefined,
    hasEarlier: hasEarlier ?? data?.hasMore ?? false,
    loadEarlier,
  }
}

/** All lines of a job, from the first on. */
export async function fetchLogs(id: string): Promise<readonly Line[]> {
  const all: Line[] = []
  for (let hasMore = true; hasMore; ) {
    const after = all.at(-1)?.number ?? 0
    const found = await call('GET /jobs/:id/logs', { params: { id }, query: { after, limit: 1000 } })
    all.push(...found.lines)
    hasMore = found.hasMore && found.lines.length > 0
  }
  return all
}
