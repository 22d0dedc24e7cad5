import { type Check, ok, warning } from './check.js'

export const embeddedCheck: Check = {
  id: 'embedded',
  title: 'database for production',
  judge({ config, environment }) {
    if (typeof config === 'string' || !environment.isProduction) return undefined
    if (config.store.kind !== 'embedded') return ok('a server of its own')
    return warning(
      'The private PostgreSQL from npm runs in production: it has no backups, and serves one machine.',
      'Set DATABASE_URL (and REDIS_URL), and leave out "embedded".',
    )
  },
}

export const dashboardCheck: Check = {
  id: 'dashboard',
  title: 'dashboard',
  judge({ config, environment }) {
    if (typeof config === 'string' || !environment.isProduction) return undefined
    if (config.authorize) return ok('open to whom "authorize" lets in')
    return warning(
      'The dashboard, the API of control and the metrics beside it are closed in production: there is no "authorize".',
      'Say who may see them: authorize: (req) => req.user?.isAdmin === true',
    )
  },
}
