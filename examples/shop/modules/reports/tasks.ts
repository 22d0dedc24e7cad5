import { defineTask } from 'celeriac'
import { z } from 'zod'
import { pause } from '../../pace.js'
import { type Order, readOrders } from './orders.js'

export interface ReportRow {
  readonly name: string
  orders: number
  units: number
  /** In cents. */
  revenue: number
}

const ordersPerStep = 1000

/** Sums up all orders by one of their columns. Small results travel in the job; a large one would go to a file. */
export const buildReport = defineTask({
  payload: z.object({ by: z.enum(['product', 'country', 'month']) }),
  timeLimit: '5m',
  async run({ by }, { progress, signal }) {
    const rows = new Map<string, ReportRow>()
    let orders = 0
    for await (const order of readOrders()) {
      add(order, rows, by)
      orders += 1
      if (orders % ordersPerStep > 0) continue
      await progress({ percent: Math.floor(100 * order.read), note: `${orders} orders read` })
      await pause(100, signal)
    }
    return { by, orders, rows: sorted([...rows.values()], by) }
  },
})

function add(order: Order, rows: Map<string, ReportRow>, by: 'product' | 'country' | 'month'): void {
  const name = order[by]
  const row = rows.get(name) ?? { name, orders: 0, units: 0, revenue: 0 }
  row.orders += 1
  row.units += order.units
  row.revenue += order.revenue
  rows.set(name, row)
}

/** Months in their order, everything else by its revenue. */
function sorted(rows: ReportRow[], by: string): ReportRow[] {
  return by === 'month'
    ? rows.sort((a, b) => a.name.localeCompare(b.name))
    : rows.sort((a, b) => b.revenue - a.revenue)
}
