import { type Command, Option } from 'commander'
import { ConfigError } from '../errors.js'

/** Flags of Flower that are called otherwise here, or are not flags. */
const instead: Readonly<Record<string, string>> = {
  '--address': 'say --host.',
  '--url_prefix': 'say --url-prefix.',
  '--certfile': 'say --tls-cert.',
  '--keyfile': 'say --tls-key.',
  '--basic-auth':
    'a password in a command line is seen by all: set CELERIAC_DASHBOARD_BASIC_AUTH, or say --basic-auth-file.',
  '--basic_auth':
    'a password in a command line is seen by all: set CELERIAC_DASHBOARD_BASIC_AUTH, or say --basic-auth-file.',
  '--auth': `say --oidc-allow '*@example.com'.`,
  '--xheaders': 'say --trust-proxy 1.',
}

/** Lets the dashboard's command line know Flower's flags, without a word of them in its help. */
export function addFlowerFlags(dashboard: Command): void {
  for (const flag of Object.keys(instead)) dashboard.addOption(optionOf(flag))
}

/** @throws {ConfigError} with what to do instead */
export function refuseFlowerFlags(said: object): void {
  for (const [flag, word] of Object.entries(instead))
    if (Reflect.get(said, optionOf(flag).attributeName()) !== undefined)
      throw new ConfigError(`${flag}: ${word}`)
}

function optionOf(flag: string): Option {
  return new Option(`${flag} [value]`).hideHelp()
}
