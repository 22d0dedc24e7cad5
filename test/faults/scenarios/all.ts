import type { Scenario } from '../scenario.js'
import { killedAtAwaits } from './failpoints.js'
import { endsItsProcess, neverSettles, poisons, standsStill, toldToStop } from './handlers.js'
import { badNetwork, halfOpen, wrongClocks } from './network.js'
import { endsSessions, fullOfConnections, locksTables, poolOfOne, rowDeleted } from './postgres.js'
import { fullMemory, loses, losesClients, standsStill as redisStandsStill } from './redis.js'
import { chatty, hooks } from './reports.js'
import { cancelRaces, delays, sameKey } from './requests.js'

/** In the order of the catalogue. */
export const scenarios: readonly Scenario[] = [
  killedAtAwaits,
  poisons,
  standsStill,
  neverSettles,
  endsItsProcess,
  toldToStop,
  loses,
  halfOpen,
  badNetwork,
  fullMemory,
  redisStandsStill,
  losesClients,
  endsSessions,
  locksTables,
  fullOfConnections,
  poolOfOne,
  rowDeleted,
  wrongClocks,
  delays,
  chatty,
  sameKey,
  cancelRaces,
  hooks,
]
