import { useMe } from '../../api/use-api.js'
import { Menu } from '../../ui/menu.js'
import { type OrderVerb, orders } from './order.js'

interface OrderMenuProps {
  readonly label: string
  readonly verbs: readonly OrderVerb[]
  readonly children?: string
  onPick(verb: OrderVerb): void
}

/** Of these orders, those that one may give. Nothing where there are none. */
export function OrderMenu({ label, verbs, children, onPick }: OrderMenuProps) {
  const actions = useMe()?.actions ?? []
  const items = verbs
    .filter((verb) => actions.includes(orders[verb].action))
    .map((verb) => ({
      label: `${orders[verb].name}…`,
      isDanger: orders[verb].isDanger ?? false,
      onPick: () => onPick(verb),
    }))
  return (
    <Menu label={label} items={items}>
      {children}
    </Menu>
  )
}
