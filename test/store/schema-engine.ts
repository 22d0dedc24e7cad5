import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  type ColumnType,
  ColumnTypeEnum,
} from '@prisma/driver-adapter-utils'
import type { DiagnoseMigrationHistoryOutput, SchemaEngine } from '@prisma/schema-engine-wasm'
import pg from 'pg'

/** Prisma's own migration engine, as a judge of what our migrations make and of what we write to its ledger. */
export interface Judge {
  /** SQL that would turn the database's tables into those of the schema file. */
  difference(schema?: string): Promise<string>
  diagnose(): Promise<DiagnoseMigrationHistoryOutput>
  /** The names of what it had to apply. */
  deploy(): Promise<string[]>
  close(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const filters = { externalTables: [], externalEnums: [] }

export const schemaFile = readFileSync(join(root, 'prisma/schema.prisma'), 'utf8')

export async function createJudge(url: string): Promise<Judge> {
  const pool = new pg.Pool({ connectionString: url, options: '-c search_path=celeriac', max: 2 })
  const { SchemaEngine } = await loadEngine()
  const engine = await SchemaEngine.new(
    { datamodels: [['schema.prisma', schemaFile]] },
    () => {},
    toDriver(pool),
  )
  return {
    difference: async (schema = schemaFile) => {
      const files = [{ path: 'schema.prisma', content: schema }]
      const { stdout } = await engine.diff({
        from: { tag: 'schemaDatasource', files, configDir: root },
        to: { tag: 'schemaDatamodel', files },
        script: true,
        exitCode: null,
        filters,
      })
      return withoutComments(stdout ?? '')
    },
    diagnose: () =>
      engine.diagnoseMigrationHistory({
        migrationsList: migrationsList(),
        optInToShadowDatabase: false,
        filters,
      }),
    deploy: async () => {
      const { appliedMigrationNames } = await engine.applyMigrations({
        migrationsList: migrationsList(),
        filters,
      })
      return appliedMigrationNames
    },
    close: async () => {
      engine.free()
      await pool.end()
    },
  }
}

function migrationsList() {
  const folder = join(root, 'prisma/migrations')
  const names = readdirSync(folder).filter((name) => !name.includes('.'))
  return {
    baseDir: folder,
    lockfile: {
      path: 'migration_lock.toml',
      content: readFileSync(join(folder, 'migration_lock.toml'), 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: names.sort().map((name) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: readFileSync(join(folder, name, 'migration.sql'), 'utf8') },
      },
    })),
  }
}

function withoutComments(sql: string): string {
  return sql.replaceAll(/^--.*$/gm, '').trim()
}

interface EngineModule {
  readonly SchemaEngine: { readonly new: typeof SchemaEngine.new }
  __wbg_set_wasm(exports: EngineExports): void
}

interface EngineExports {
  __wbindgen_start(): void
}

/** The compiler's own declaration of it belongs to browsers. */
interface WebAssemblyLoader {
  instantiate(code: Uint8Array, imports: object): Promise<{ instance: { exports: EngineExports } }>
}

let loaded: Promise<EngineModule> | undefined

/** The package's entry imports its WebAssembly as a module, which Node does not do without a flag. */
function loadEngine(): Promise<EngineModule> {
  loaded ??= instantiate()
  return loaded
}

async function instantiate(): Promise<EngineModule> {
  const glue: EngineModule = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const file = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const code = readFileSync(file.replace(/\.js$/, '.wasm'))
  const { WebAssembly: loader } = globalThis as unknown as { WebAssembly: WebAssemblyLoader }
  const { instance } = await loader.instantiate(code, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return glue
}

/**
 * The engine reads the catalog's `"char"` columns, which the adapter refuses. They pass through it in the guise of a
 * type that the catalog has nowhere else.
 */
const char = 18
const guise = 1002

function toDriver(pool: pg.Pool): object {
  const factory = new PrismaPg(disguiseChars(pool), { schema: 'celeriac' })
  const connect = factory.connect.bind(factory)
  factory.connect = async () => {
    const connection = await connect()
    // The adapter cuts a script at each semicolon, also inside a function. The native engine sends it whole.
    connection.executeScript = async (script) => void (await pool.query(script))
    const queryRaw = connection.queryRaw.bind(connection)
    connection.queryRaw = async (query) => {
      const result = await queryRaw(query)
      return { ...result, columnTypes: result.columnTypes.map(undisguised) }
    }
    return connection
  }
  return bindMigrationAwareSqlAdapterFactory(factory)
}

function disguiseChars(pool: pg.Pool): pg.Pool {
  const query = pool.query.bind(pool) as (config: pg.QueryConfig) => Promise<pg.QueryResult>
  const disguised = async (config: pg.QueryConfig) => {
    const result = await query(config)
    for (const field of result.fields ?? []) if (field.dataTypeID === char) field.dataTypeID = guise
    return result
  }
  return Object.assign(pool, { query: disguised })
}

function undisguised(type: ColumnType): ColumnType {
  return type === ColumnTypeEnum.CharacterArray ? ColumnTypeEnum.Character : type
}
