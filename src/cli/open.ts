import { type App, openApp } from '../app.js'
import { openBackend } from '../backend.js'
import type { DashboardOptions } from '../config/dashboard-options.js'
import { readEnvironment } from '../config/env.js'
import { findConfigFile, loadConfig } from '../config/load.js'
import type { CeleriacOptions } from '../config/options.js'
import { type Config, resolveConfig } from '../config/resolve.js'
import { type Control, createControl, createInspect, type Inspect } from '../control/control.js'
import { createDoor } from '../control/door.js'
import { openEmbedded } from '../embedded/postgres.js'
import { createHold } from '../enqueue/hold.js'
import type { Limits } from '../enqueue/limits.js'
import { ConfigError } from '../errors.js'
// The config file loads it in any case: by then each module may take its way through a loader for TypeScript.
import '../plugin.js'
import { createPrismaStore } from '../store/prisma.js'
import type { Store } from '../store/store.js'
import { bind } from '../task/binding.js'
import { loadTasks } from '../task/load.js'
import type { TaskRegistry } from '../task/registry.js'
import { createCommandLog, createLog } from '../telemetry/log.js'
import { type CommonFlags, endSoon, note } from './kit.js'

/** The configuration that the flags lead to, with what the command line says of it. */
export async function readConfig(flags: CommonFlags, said: CeleriacOptions = {}): Promise<Config> {
  if (flags.envFile !== undefined) readEnvFile(flags.envFile)
  const { folder, isProduction } = readEnvironment()
  const search = { folder, isProduction, ...(flags.app === undefined ? {} : { path: flags.app }) }
  const options = await loadConfig(search)
  return resolveConfig({ ...options, ...said, ...within(options, said) }, readEnvironment())
}

/** A flag changes one option of the worker or of the dashboard, and leaves the others as the file has them. */
function within({ worker, dashboard }: CeleriacOptions, said: CeleriacOptions): CeleriacOptions {
  return {
    ...(typeof worker === 'object' && typeof said.worker === 'object'
      ? { worker: { ...worker, ...said.worker } }
      : {}),
    ...(dashboard && said.dashboard ? { dashboard: dashboardOf(dashboard, said.dashboard) } : {}),
  }
}

function dashboardOf(dashboard: DashboardOptions, said: DashboardOptions): DashboardOptions {
  const oidc = said.oidc && { ...dashboard.oidc, ...said.oidc }
  return { ...dashboard, ...said, ...(oidc ? { oidc } : {}) }
}

/** As {@link readConfig}; where there is no config file, the environment alone. */
export async function readConfigOrDefaults(flags: CommonFlags): Promise<Config> {
  if (flags.app !== undefined || hasConfigFile()) return readConfig(flags)
  if (flags.envFile !== undefined) readEnvFile(flags.envFile)
  return resolveConfig({}, readEnvironment())
}

function hasConfigFile(): boolean {
  try {
    const { folder, isProduction } = readEnvironment()
    return findConfigFile({ folder, isProduction }) !== ''
  } catch {
    return false
  }
}

/** Opens the app of a process that has no web server. */
export function openForCommand(config: Config, onFatal: (error: unknown) => void): App {
  const log =
    typeof config.logger === 'string' ? createLog(config.logger, readEnvironment().isTerminal) : config.logger
  const app = openApp(config, { log, tasks: loadTasks(config), onFatal, openBackend })
  bind(app)
  return app
}

/** For what needs neither tasks nor broker. The tables must be there. */
export async function withStore<T>(
  flags: CommonFlags,
  work: (store: Store, config: Config) => Promise<T>,
): Promise<T> {
  const config = await readConfigOrDefaults(flags)
  const log = { info: () => {}, warn: note }
  const embedded =
    config.store.kind === 'embedded' ? await openEmbedded({ root: config.root, log }) : undefined
  const { url, directUrl } =
    config.store.kind === 'postgres'
      ? config.store
      : { url: embedded?.url ?? '', directUrl: embedded?.url ?? '' }
  const { deadlineMs, values } = config
  const store = createPrismaStore({ url, directUrl, deadlineMs, values, log })
  try {
    await store.assertMigrated()
    return await work(store, config)
  } finally {
    await store.close()
    await embedded?.close()
  }
}

/**
 * For what is asked of workers. Neither the broker nor the code of the tasks is needed, so that it answers within
 * moments, and also when something else does not.
 */
export async function withDoor<T>(
  flags: CommonFlags,
  work: (asked: {
    readonly control: Control
    readonly inspect: Inspect
    readonly store: Store
  }) => Promise<T>,
): Promise<T> {
  return withStore(flags, async (store, config) => {
    const opened = async () => store
    const deps = { door: createDoor(opened), store: opened }
    const control = createControl({ ...deps, limits: noLimits, registry: () => loadTasks(config) })
    const hold = createHold()
    return hold.during(work({ control, inspect: createInspect(deps), store })).finally(hold.close)
  })
}

function needsApp(): Promise<never> {
  return Promise.reject(new ConfigError('Limits need the tasks of the app.'))
}

const noLimits: Limits = { set: needsApp, reset: needsApp, list: needsApp }

/** For what needs the tasks as well, or what an app can do. Only warnings are logged. */
export async function withApp<T>(flags: CommonFlags, work: (app: App) => Promise<T>): Promise<T> {
  return working(await readConfig(flags, { logger: 'warn' }), work)
}

/** As {@link withApp}; where there is no config file, the servers of the environment, and no task's code. */
export async function withAppOrServers<T>(flags: CommonFlags, work: (app: App) => Promise<T>): Promise<T> {
  if (flags.app !== undefined || hasConfigFile()) return withApp(flags, work)
  if (flags.envFile !== undefined) readEnvFile(flags.envFile)
  return working(resolveConfig({ tasks: {}, logger: 'warn' }, readEnvironment()), work)
}

async function working<T>(config: Config, work: (app: App) => Promise<T>): Promise<T> {
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  const app = openForCommand({ ...config, logger: createCommandLog('warn') }, fail)
  try {
    return await Promise.race([app.backend().then(() => work(app)), failed])
  } finally {
    await app.close()
    endSoon()
  }
}

/** For what looks at the code of the tasks. Without a config file there is none, and no server is asked. */
export async function readTasks(
  flags: CommonFlags,
): Promise<{ readonly config: Config; readonly registry: TaskRegistry | undefined }> {
  const config = await readConfigOrDefaults(flags)
  const isApp = flags.app !== undefined || hasConfigFile()
  return { config, registry: isApp ? await loadTasks(config) : undefined }
}

/**
 * For what asks how everything is. No tasks file is loaded and no table is made, and servers may be away.
 */
export async function withBareApp<T>(flags: CommonFlags, work: (app: App) => Promise<T>): Promise<T> {
  const config: Config = {
    ...(await readConfigOrDefaults(flags)),
    ...{ tasks: {}, modules: [], migrate: false, logger: 'silent' },
  }
  const app = openForCommand(config, () => {})
  const hold = createHold()
  try {
    return await hold.during(work(app))
  } finally {
    await app.close()
    hold.close()
  }
}

function readEnvFile(file: string): void {
  try {
    process.loadEnvFile(file)
  } catch (cause) {
    throw new ConfigError(`--env-file ${file} cannot be read.`, { cause })
  }
}
