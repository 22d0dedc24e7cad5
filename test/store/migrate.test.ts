import pg from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { migrations } from '../../src/store/generated/migrations.js'
import { assertMigrated, migrate, pendingSql } from '../../src/store/migrate.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'

const names = migrations.map(({ name }) => name)
const [first = ''] = names

let url: string
let said: string[]
const log = { info: (message: string) => said.push(message) }

beforeEach(async () => {
  url = await freshDatabase()
  said = []
})

test('an empty database gets every migration, once', async () => {
  expect(await migrate({ url, log })).toEqual({ applied: names })
  expect(await migrate({ url, log })).toEqual({ applied: [] })
  await expect(asked(assertMigrated)).resolves.toBeUndefined()
})

test('of ten processes at once one migrates, and the others find it done', async () => {
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => migrate({ url, log })))

  expect(outcomes.flatMap(({ applied }) => applied)).toEqual(names)
  expect(await ledger()).toHaveLength(names.length)
})

test('it waits for a migration by prisma, and gives up with a reason', async () => {
  const other = new pg.Client(url)
  await other.connect()
  await other.query('SELECT pg_advisory_lock(72707369)')

  await expect(migrate({ url, log, lockWaitMs: 50 })).rejects.toMatchObject({
    code: 'MIGRATION',
    message: expect.stringContaining('Another process has been migrating the database'),
  })
  const patient = migrate({ url, log })
  await until(() => said.filter((message) => message.startsWith('Another process')).length === 2)
  await other.end()
  expect(await patient).toEqual({ applied: names })
})

test('a migration that fails leaves no trace', async () => {
  await query('CREATE SCHEMA celeriac; CREATE TABLE celeriac.pass (stranger int)')

  await expect(migrate({ url, log })).rejects.toMatchObject({
    code: 'MIGRATION',
    message: expect.stringMatching(
      `Migration "${first}" failed: relation "pass" already exists. Nothing of it was kept.`,
    ),
  })
  expect(
    await query(
      `SELECT to_regclass('celeriac.job') AS job, to_regclass('celeriac._prisma_migrations') AS ledger`,
    ),
  ).toEqual([{ job: null, ledger: null }])

  await query('DROP TABLE celeriac.pass')
  expect(await migrate({ url, log })).toEqual({ applied: names })
})

test('a server that nobody started is said by its address, without the password', async () => {
  const failure = await migrate({ url: 'postgres://me:hush@127.0.0.1:1/app', log }).catch(
    (error: Error) => error,
  )

  expect(failure).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining('PostgreSQL at postgres://127.0.0.1:1/app cannot be reached'),
  })
  expect(String(failure)).not.toContain('hush')
})

describe('a database that does not fit is refused', () => {
  test('without tables, with the command to run', async () => {
    await expect(asked(assertMigrated)).rejects.toMatchObject({
      code: 'MIGRATION',
      message: 'The database has no tables of celeriac. Run: npx celeriac migrate',
    })
  })

  test('with older tables, with the command to run', async () => {
    await migrate({ url, log })
    await query(`DELETE FROM celeriac._prisma_migrations WHERE migration_name = '${names.at(-1)}'`)

    await expect(asked(assertMigrated)).rejects.toThrow('Run: npx celeriac migrate')
  })

  test('with newer tables', async () => {
    await migrate({ url, log })
    await query(`INSERT INTO celeriac._prisma_migrations (id, checksum, finished_at, migration_name)
      VALUES (gen_random_uuid()::text, 'abc', now(), '29991231000000_wonders')`)

    const complaint =
      'The database is newer than this version of celeriac, which does not know: "29991231000000_wonders"'
    await expect(asked(assertMigrated)).rejects.toThrow(complaint)
    await expect(migrate({ url, log })).rejects.toThrow(complaint)
  })

  test('with a migration that was applied with other SQL', async () => {
    await migrate({ url, log })
    await query(`UPDATE celeriac._prisma_migrations SET checksum = 'abc'`)

    await expect(asked(assertMigrated)).rejects.toThrow(`Migration "${first}" was applied with other SQL`)
    await expect(migrate({ url, log })).rejects.toThrow(`Migration "${first}" was applied with other SQL`)
  })

  test('with a migration that prisma did not finish, until it is marked as rolled back', async () => {
    await migrate({ url, log })
    await query(`UPDATE celeriac._prisma_migrations SET finished_at = NULL, logs = 'disk full'`)
    await expect(asked(assertMigrated)).rejects.toThrow(/has not finished. It said: disk full/)

    const refusal = await migrate({ url, log }).catch((error: Error) => error.message)
    await dropAllButTheLedger()
    await query(/UPDATE [^;]*;/.exec(String(refusal))?.[0] ?? '')
    expect(await migrate({ url, log })).toEqual({ applied: names })
  })
})

describe('a role without rights', () => {
  test('is told which right it lacks, and can migrate once it has that', async () => {
    const { role, roleUrl } = await newRole()

    const grant = `GRANT CREATE ON DATABASE ${new URL(url).pathname.slice(1)} TO ${role};`
    await expect(migrate({ url: roleUrl, log })).rejects.toMatchObject({
      code: 'MIGRATION',
      message: expect.stringContaining(`Let an administrator run: ${grant}`),
    })

    await query(grant)
    expect(await migrate({ url: roleUrl, log })).toEqual({ applied: names })
  })

  test('needs no right to create schemas when an administrator made this one', async () => {
    const { role, roleUrl } = await newRole()
    await query('CREATE SCHEMA celeriac')
    const grant = `GRANT USAGE, CREATE ON SCHEMA celeriac TO ${role};`
    await expect(migrate({ url: roleUrl, log })).rejects.toThrow(grant)

    await query(grant)
    expect(await migrate({ url: roleUrl, log })).toEqual({ applied: names })
  })

  test('can use the tables that an administrator made from the printed SQL', async () => {
    const { role, roleUrl } = await newRole()
    await query(await pendingSql(roleUrl))

    const refusal = await asked(assertMigrated, roleUrl).catch((error: Error) => error.message)
    expect(refusal).toContain('This role may not read')
    await query(`${refusal}`.slice(`${refusal}`.indexOf('GRANT')).replaceAll('<role>', role))

    await asked(assertMigrated, roleUrl)
    expect(await migrate({ url: roleUrl, log })).toEqual({ applied: [] })
    expect(await pendingSql(roleUrl)).toBe('')
  })
})

async function newRole(): Promise<{ role: string; roleUrl: string }> {
  const role = `role_${new URL(url).pathname.slice(-8)}`
  await query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  const roleUrl = new URL(url)
  roleUrl.username = role
  roleUrl.password = 'x'
  return { role, roleUrl: roleUrl.href }
}

function ledger(): Promise<unknown[]> {
  return query('SELECT migration_name FROM celeriac._prisma_migrations')
}

/** What an administrator does with the half of a migration that is there. */
async function dropAllButTheLedger(): Promise<void> {
  const drops = await query(
    `SELECT format('DROP TABLE celeriac.%I CASCADE', tablename) AS text FROM pg_tables
       WHERE schemaname = 'celeriac' AND tablename <> '_prisma_migrations'
     UNION ALL SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc
       WHERE pronamespace = 'celeriac'::regnamespace
     UNION ALL SELECT 'DROP TYPE celeriac.job_state CASCADE'`,
  )
  await query((drops as { text: string }[]).map(({ text }) => text).join(';'))
}

async function query(text: string): Promise<unknown[]> {
  return asked(async (client) => (await client.query(text)).rows)
}

async function asked<T>(ask: (client: pg.Client) => Promise<T>, database = url): Promise<T> {
  const client = new pg.Client(database)
  await client.connect()
  try {
    return await ask(client)
  } finally {
    await client.end()
  }
}
