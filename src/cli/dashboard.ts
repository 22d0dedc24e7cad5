import type { Command } from 'commander'
import { addFlowerFlags } from './flower-flags.js'
import { type CommonFlags, common, list } from './kit.js'

export interface DashboardFlags extends CommonFlags {
  readonly port?: string
  readonly host?: string
  readonly urlPrefix?: string
  readonly publicUrl?: string
  readonly trustProxy?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly basicAuthFile?: string
  readonly oidcIssuer?: string
  readonly oidcClientId?: string
  readonly oidcScope?: string
  readonly oidcRoleClaim?: string
  readonly oidcRole?: readonly string[]
  readonly oidcEmail?: readonly string[]
  readonly oidcAllow?: readonly string[]
  readonly oidcDefaultRole?: string
  readonly hashPassword?: true
}

export function addDashboard(program: Command): void {
  const dashboard = common(program.command('dashboard'))
    .description('Serve the dashboard alone, without the app: what "celery flower" is.')
    .option('-p, --port <port>', 'where it listens; 0: any that is free (default: 5555)')
    .option(
      '--host <address>',
      'on which address; any but this machine needs a login, or "authorize" in the config (default: 127.0.0.1)',
    )
    .option('--url-prefix <path>', 'where its pages are, such as /jobs')
    .option('--public-url <url>', 'its address as browsers see it')
    .option('--trust-proxy <hops>', 'how many proxies stand in front, or their addresses')
    .option('--tls-cert <file>', 'certificate, in PEM')
    .option('--tls-key <file>', "the certificate's key, in PEM")
    .option('--basic-auth-file <file>', 'who may come in by password: name:password:role, one a line')
    .option('--hash-password', 'read a password, print what may stand for it in that file, and end')
    .option('--oidc-issuer <url>', 'let people sign in at this provider of OpenID Connect')
    .option('--oidc-client-id <id>', 'as which client')
    .option('--oidc-scope <scopes>', 'what is asked for (default: "openid email profile")')
    .option('--oidc-role-claim <claim>', 'where --oidc-role looks (default: groups)')
    .option('--oidc-role <value=role>', 'the role of a value of that claim; may be repeated', each)
    .option('--oidc-email <pattern=role>', 'the role of e-mail addresses; may be repeated', each)
    .option('--oidc-allow <patterns>', 'e-mail addresses that come in at all', list)
    .option('--oidc-default-role <role>', 'the role of everybody else who can sign in there')
    .addHelpText(
      'after',
      `
Passwords and secrets are in the environment: CELERIAC_DASHBOARD_BASIC_AUTH,
CELERIAC_DASHBOARD_OIDC_CLIENT_SECRET, CELERIAC_DASHBOARD_SECRET. See docs/dashboard.md.

Examples:
  celeriac dashboard --port 5555
  celeriac dashboard --host 0.0.0.0 --basic-auth-file users.txt
  celeriac dashboard --public-url https://jobs.example.com --oidc-issuer https://id.example.com \\
    --oidc-client-id jobs --oidc-role jobs-admins=admin --oidc-email '*@example.com=viewer'`,
    )
    .action(async (flags: DashboardFlags) => {
      if (flags.hashPassword) await (await import('./hash-password.js')).printHash()
      else await (await import('./run-dashboard.js')).runDashboard(flags)
    })
  addFlowerFlags(dashboard)
}

/** Repeated, and never by commas, which names of groups may have. */
function each(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
