import { keep } from './keeper.js'

// scripts/generate.mjs makes one string of this entry and what it imports; join.ts runs it.
void keep(JSON.parse(process.argv[2] ?? '')).then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
