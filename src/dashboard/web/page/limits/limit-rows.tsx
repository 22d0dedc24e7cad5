import type { LimitFigures, LimitSummary } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Facts } from '../../ui/facts.js'
import { tellCount } from '../../ui/format.js'
import { WhoSetIt } from './who-set-it.js'

/** What holds; where somebody has set something else, also what the code says. */
export function LimitRows({ limits }: { readonly limits: Json<LimitSummary> }) {
  const { rateLimit, concurrency, perKey, code, set } = limits
  const isRate = rateLimit !== code.rateLimit
  const isConcurrency = concurrency !== code.concurrency
  return (
    <Facts
      facts={[
        [
          'Rate',
          <Value
            key="rate"
            value={tellRate(rateLimit)}
            code={isRate ? tellRate(code.rateLimit) : undefined}
          />,
        ],
        [
          'At once',
          <Value
            key="concurrency"
            value={tellMost(concurrency)}
            code={isConcurrency ? tellMost(code.concurrency) : undefined}
          />,
        ],
        ...(hasAny(perKey)
          ? ([
              ['For each key', `${tellRate(perKey.rateLimit)}, ${tellMost(perKey.concurrency)} at once`],
            ] as const)
          : []),
        ...(set ? ([['Set', <WhoSetIt key="set" set={set} />]] as const) : []),
      ]}
    />
  )
}

function Value({ value, code }: { readonly value: string; readonly code: string | undefined }) {
  return code === undefined ? value : `${value} (the code says ${code})`
}

function tellRate(rate: string | null): string {
  return rate ?? 'no limit'
}

function tellMost(most: number | null): string {
  return most === null ? 'no limit' : tellCount(most)
}

function hasAny({ rateLimit, concurrency }: LimitFigures): boolean {
  return rateLimit !== null || concurrency !== null
}
