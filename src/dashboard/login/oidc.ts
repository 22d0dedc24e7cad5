import type { Configuration } from 'openid-client'
import { ConfigError } from '../../errors.js'
import type { Claims } from './role.js'

/** What must be the same when somebody comes back from the provider. */
export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** Why nothing came of a login. `message` is for the log. */
export interface Failure {
  /** `denied`: the provider says no, or whoever was asked did. `away`: it does not answer. `invalid`: what came is not to be trusted. */
  readonly kind: 'denied' | 'away' | 'invalid'
  readonly message: string
}

/** A provider of OpenID Connect. */
export interface Provider {
  /** Learns its addresses. */
  ready(): Promise<Failure | undefined>
  /** Where a browser is to go, and what to remember meanwhile. */
  begin(back: URL, ask: { readonly anew: boolean }): Promise<{ to: URL; checks: Checks } | Failure>
  /** @param back as above, with what the provider has added */
  finish(back: URL, checks: Checks): Promise<{ claims: Claims } | Failure>
}

export interface ProviderSettings {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly scope: string
  /** Whether a token says enough; else the provider is asked once more who it is. */
  says(claims: Claims): boolean
}

const timeoutSeconds = 10
/** Clocks of two machines. */
const toleranceSeconds = 30

type Client = typeof import('openid-client')

/** @throws {ConfigError} when the library is not installed */
export async function createProvider(settings: ProviderSettings): Promise<Provider> {
  const client = await load()
  let discovering: Promise<Configuration> | undefined

  return {
    ready: () => attempt(async () => void (await configuration())),
    begin: (back, { anew }) =>
      attempt(async () => {
        const config = await configuration()
        const checks = {
          state: client.randomState(),
          nonce: client.randomNonce(),
          verifier: client.randomPKCECodeVerifier(),
        }
        const to = client.buildAuthorizationUrl(config, {
          redirect_uri: back.href,
          scope: settings.scope,
          state: checks.state,
          nonce: checks.nonce,
          code_challenge: await client.calculatePKCECodeChallenge(checks.verifier),
          code_challenge_method: 'S256',
          ...(anew ? { prompt: 'select_account' } : {}),
        })
        return { to, checks }
      }),
    finish: (back, { state, nonce, verifier }) =>
      attempt(async () => {
        const config = await configuration()
        const tokens = await client.authorizationCodeGrant(config, back, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        })
        const claims: Claims = { ...tokens.claims() }
        return { claims: await completed(config, claims, tokens.access_token) }
      }),
  }

  /** Some providers say little in the token, and the rest to whoever asks with it. */
  async function completed(config: Configuration, claims: Claims, accessToken: string): Promise<Claims> {
    if (settings.says(claims) || config.serverMetadata().userinfo_endpoint === undefined) return claims
    return { ...(await client.fetchUserInfo(config, accessToken, String(claims.sub))), ...claims }
  }

  /** Known for good; a failure is not. */
  function configuration(): Promise<Configuration> {
    if (!discovering) {
      const asked = discover()
      discovering = asked
      asked.catch(() => {
        if (discovering === asked) discovering = undefined
      })
    }
    return discovering
  }

  async function discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = settings
    const url = new URL(issuer)
    const isPlain = url.protocol === 'http:'
    const found = await client.discovery(url, clientId, clientSecret, undefined, {
      timeout: timeoutSeconds,
      execute: isPlain ? [client.allowInsecureRequests] : [],
    })
    const metadata = found.serverMetadata()
    const config = new client.Configuration(
      metadata,
      clientId,
      {
        ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
        [client.clockTolerance]: toleranceSeconds,
      },
      authentication(clientSecret, metadata.token_endpoint_auth_methods_supported),
    )
    config.timeout = timeoutSeconds
    if (isPlain) client.allowInsecureRequests(config)
    // Signatures are looked at, though the tokens come from the provider itself.
    client.enableNonRepudiationChecks(config)
    return config
  }

  function authentication(secret: string | undefined, methods: readonly string[] = ['client_secret_basic']) {
    if (secret === undefined) return client.None()
    return methods.includes('client_secret_post') && !methods.includes('client_secret_basic')
      ? client.ClientSecretPost(secret)
      : client.ClientSecretBasic(secret)
  }

  async function attempt<T>(work: () => Promise<T>): Promise<T | Failure> {
    try {
      return await work()
    } catch (error) {
      return toFailure(client, error)
    }
  }
}

async function load(): Promise<Client> {
  try {
    return await import('openid-client')
  } catch (cause) {
    throw new ConfigError(
      'A login by OpenID Connect needs the package openid-client. Install it: npm i openid-client',
      { cause },
    )
  }
}

function toFailure({ AuthorizationResponseError }: Client, error: unknown): Failure {
  const message = sayAll(error)
  if (error instanceof AuthorizationResponseError)
    return { kind: 'denied', message: `${error.error} ${error.error_description ?? ''}`.trim() }
  return { kind: isOfNetwork(error) ? 'away' : 'invalid', message }
}

/** As fetch fails when nobody answers, or too late, or with something else than was asked for. */
function isOfNetwork(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at.name === 'TimeoutError' || at.name === 'AbortError') return true
    if (at instanceof TypeError && /fetch failed/.test(at.message)) return true
    if ('code' in at && awayCodes.includes(String(at.code))) return true
  }
  return false
}

const awayCodes = [
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_JSON',
]

/** The library says the reason in the causes. */
function sayAll(error: unknown): string {
  const said: string[] = []
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if (!said.includes(at.message)) said.push(at.message)
  return said.join(': ').slice(0, 500) || 'unknown'
}
