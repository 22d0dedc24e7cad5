import { defineTask } from 'celeriac'
import { now } from './now.js'

/** Never returns to its event loop. */
export const spin = defineTask(async (_: undefined, { progress }) => {
  await progress('spins')
  for (;;);
})

/** Says when it started. */
export const next = defineTask({ pool: 'inline', run: () => now() })
