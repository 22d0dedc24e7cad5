import type { KeyPlace } from '../store/store.js'
import type { Pass } from './maintain.js'

const pageSize = 2000

/** Deletes the keys of unique jobs that hold nothing any more. A key is free before that, so there is no hurry. */
export function createUniqueKeysPass(): Pass {
  let place: KeyPlace | undefined

  return {
    name: 'unique-keys',
    every: 20,
    isNeeded: () => true,
    async run({ store, hasTime }) {
      let deleted = 0
      do {
        const pruned = await store.pruneUniqueKeys(place, pageSize)
        deleted += pruned.deleted
        place = pruned.next
      } while (place && hasTime())
      return deleted
    },
  }
}
