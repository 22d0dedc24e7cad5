import type { Scenario } from '../scenario.js'
import { endsItsProcess, neverSettles, poisons, standsStill, toldToStop } from './handlers.js'
import { cancelRaces, delays, sameKey } from './requests.js'

/** In the order of the catalogue. */
export const scenarios: readonly Scenario[] = [
  poisons,
  standsStill,
  neverSettles,
  endsItsProcess,
  toldToStop,
  delays,
  sameKey,
  cancelRaces,
]
