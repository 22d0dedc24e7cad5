import { type Check, fault, inTwo, ok } from './check.js'

export const configCheck: Check = {
  id: 'config',
  title: 'configuration',
  judge({ config }) {
    if (typeof config !== 'string')
      return ok(config.file ?? 'no config file: the environment and the defaults')
    return fault(...inTwo(config.trim(), 'Correct what it says, and check again.'))
  },
}
