import { availableParallelism } from 'node:os'

/** What a process is told from outside. The one place that reads `process.env`. */
export interface Environment {
  readonly isProduction: boolean
  readonly isTerminal: boolean
  /** Standard output takes colours: a terminal, without `NO_COLOR`. */
  readonly hasColours: boolean
  /** Somebody sits there who can be asked. */
  readonly canAsk: boolean
  /** The working folder. */
  readonly folder: string
  /** The script that Node was started with. */
  readonly entry: string | undefined
  readonly cores: number
  readonly logLevel: string | undefined
  /** `CELERIAC_APP_VERSION`: which version of the app's code this is. */
  readonly appVersion: string | undefined
  /** `CELERIAC_BROKER_URL`, which may be of any kind. */
  readonly brokerUrl: string | undefined
  /** `REDIS_URL`, as hosting platforms set it. */
  readonly redisUrl: string | undefined
  /** `CELERIAC_DATABASE_URL`, for apps whose own database is another one. */
  readonly ownDatabaseUrl: string | undefined
  /** `DATABASE_URL`, as Prisma and hosting platforms set it. */
  readonly databaseUrl: string | undefined
  /** `CELERIAC_DASHBOARD_BASIC_AUTH`: who may come in by name and password. */
  readonly dashboardBasicAuth: string | undefined
  /** `CELERIAC_DASHBOARD_OIDC_CLIENT_SECRET` */
  readonly dashboardClientSecret: string | undefined
  /** `CELERIAC_DASHBOARD_SECRET`: what logins are sealed with. */
  readonly dashboardSecret: string | undefined
  /** `DIRECT_URL`, as Prisma's habit is for what must not go through a pooler. */
  readonly directUrl: string | undefined
}

export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  const read = (name: string) => variables[name]?.trim() || undefined
  const [forced, refused] = [read('FORCE_COLOR'), read('NO_COLOR')]
  return {
    isProduction: read('NODE_ENV') === 'production',
    isTerminal: process.stdout.isTTY === true,
    hasColours: forced !== undefined || (process.stdout.isTTY === true && refused === undefined),
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    folder: process.cwd(),
    entry: process.argv[1],
    cores: availableParallelism(),
    logLevel: read('CELERIAC_LOG_LEVEL'),
    appVersion: read('CELERIAC_APP_VERSION'),
    brokerUrl: read('CELERIAC_BROKER_URL'),
    redisUrl: read('REDIS_URL'),
    ownDatabaseUrl: read('CELERIAC_DATABASE_URL'),
    databaseUrl: read('DATABASE_URL'),
    dashboardBasicAuth: read('CELERIAC_DASHBOARD_BASIC_AUTH'),
    dashboardClientSecret: read('CELERIAC_DASHBOARD_OIDC_CLIENT_SECRET'),
    dashboardSecret: read('CELERIAC_DASHBOARD_SECRET'),
    directUrl: read('DIRECT_URL'),
  }
}

/** For a process that is to tell its parent which files it loads: as `node --watch` asks for it. */
export function withDependencyReports(variables: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...variables, WATCH_REPORT_DEPENDENCIES: '1' }
}
