import { Duration, None } from './time.js'

interface PercentilesProps {
  readonly of: { readonly p50Ms: number | null; readonly p95Ms: number | null }
}

/** Half of the jobs took so long at most, and 95 % of them. */
export function Percentiles({ of: { p50Ms, p95Ms } }: PercentilesProps) {
  if (p50Ms === null) return <None />
  return (
    <>
      <Duration ms={p50Ms} /> / <Duration ms={p95Ms} />
    </>
  )
}
