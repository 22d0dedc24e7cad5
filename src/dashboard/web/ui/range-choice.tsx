import type { Range } from '../../api/contract.js'
import { ranges, useRange } from '../api/use-search.js'
import { Choice } from './choice.js'

const names: Readonly<Record<Range, string>> = {
  '15m': 'Last 15 minutes',
  '1h': 'Last hour',
  '6h': 'Last 6 hours',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
}

/** How far back charts and rates look; it stands in the address. */
export function RangeChoice({ unsaid = '1h' }: { readonly unsaid?: Range }) {
  const [range, setRange] = useRange(unsaid)
  return (
    <Choice
      label="Range"
      value={range}
      options={ranges.map((value) => ({ value, label: value, title: names[value] }))}
      onChange={setRange}
    />
  )
}
