import type { WhoSet } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Time } from '../../ui/time.js'

/** `by ann, 3 min. ago` */
export function WhoSetIt({ set: { by, at } }: { readonly set: Json<WhoSet> }) {
  return (
    <>
      {by === null ? '' : `by ${by}, `}
      <Time at={at} />
    </>
  )
}
