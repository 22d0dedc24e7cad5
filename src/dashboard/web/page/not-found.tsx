import { Link } from 'wouter'
import { Empty } from '../ui/empty.js'
import { Page } from '../ui/page.js'

export function NotFound() {
  return (
    <Page title="No such page">
      <Empty title="There is nothing at this address.">
        <Link href="/">To the overview</Link>
      </Empty>
    </Page>
  )
}
