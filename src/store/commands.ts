import type { Pool } from 'pg'
import { createCommandList } from './command-list.js'
import type {
  AskedCommand,
  ControlStore,
  KnownWorker,
  NewCommand,
  NewReply,
  Reply,
  Setting,
  WorkerChange,
} from './control-store.js'
import type { Listener } from './listen.js'
import { loadValues, noteLoadSql, readWorkerChart } from './worker-stats.js'

const settingChannel = 'celeriac_setting'
const commandChannel = 'celeriac_command'
const replyChannel = 'celeriac_reply'

/** A command to the worker that is parameter 1. */
const isAsked = `c.expires_at > now() AND c.workers @> ARRAY[$1::uuid]
  AND NOT EXISTS (SELECT 1 FROM celeriac.reply r WHERE r.command_id = c.id AND r.worker_id = $1::uuid)`

/** The part of the contract that is about workers and what is asked of them, but their coming and going. */
export type Commands = Omit<ControlStore, 'registerWorker' | 'stopWorker' | 'liveWorkers'>

/** @param guard turns what the driver throws into our errors, within the deadline */
export function createCommands(
  pool: Pool,
  listener: Listener,
  guard: <T>(ask: () => Promise<T>) => Promise<T>,
): Commands {
  const query = <Row extends object>(text: string, values: readonly unknown[] = []) =>
    guard(async () => (await pool.query<Row>(text, [...values])).rows)
  const write = async (text: string, values: readonly unknown[]) => void (await query(text, values))

  return {
    async changeWorker(id: string, { queues, concurrency, config }: WorkerChange) {
      await write(
        `UPDATE celeriac.worker SET queues = coalesce($2, queues), concurrency = coalesce($3, concurrency),
           config = coalesce($4, config) WHERE id = $1`,
        [id, queues ?? null, concurrency ?? null, config ?? null],
      )
    },
    forgetWorker: (id) =>
      write(
        `WITH gone AS (DELETE FROM celeriac.worker WHERE id = $1 AND stopped_at IS NOT NULL RETURNING id)
         DELETE FROM celeriac.worker_stat WHERE worker_id IN (SELECT id FROM gone)`,
        [id],
      ),
    async reportWorker(id, report, load) {
      const [row] = await query<{ isAsked: boolean }>(
        `WITH noted AS (${noteLoadSql(3)})
         UPDATE celeriac.worker SET report = $2, reported_at = now() WHERE id = $1::uuid
         RETURNING EXISTS (SELECT 1 FROM celeriac.command c WHERE ${isAsked}) AS "isAsked"`,
        [id, report, ...loadValues(load)],
      )
      return row?.isAsked ?? false
    },
    workerChart: (asked) => guard(() => readWorkerChart(pool, asked)),
    workers: () =>
      query<KnownWorker>(
        `SELECT id, name, host, pid, queues, tasks, concurrency, pool, version, node_version AS "nodeVersion",
           app_version AS "appVersion", config, report, reported_at AS "reportedAt", config_hash AS "configHash",
           missed, started_at AS "startedAt", seen_at AS "seenAt", stopped_at AS "stoppedAt", lost_at AS "lostAt", now()
         FROM celeriac.worker ORDER BY coalesce(stopped_at, lost_at) DESC NULLS FIRST, name, started_at`,
      ),
    async workerNames(ids) {
      if (ids.length === 0) return new Map()
      const rows = await query<Pick<KnownWorker, 'id' | 'name'>>(
        'SELECT id, name FROM celeriac.worker WHERE id = ANY($1::uuid[])',
        [ids],
      )
      return new Map(rows.map(({ id, name }) => [id, name]))
    },

    settings: () =>
      query<Setting>(
        'SELECT name, value, set_by AS "setBy", set_at AS "setAt" FROM celeriac.setting ORDER BY name',
      ),
    setSetting: (name, value, by) =>
      value === null
        ? write(
            `WITH gone AS (DELETE FROM celeriac.setting WHERE name = $1) SELECT pg_notify('${settingChannel}', $1)`,
            [name],
          )
        : write(
            `WITH written AS (
               INSERT INTO celeriac.setting (name, value, set_by) VALUES ($1, $2, $3)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value, set_by = excluded.set_by, set_at = now())
             SELECT pg_notify('${settingChannel}', $1)`,
            [name, value, by],
          ),
    async replaceSetting(name, expected, value, by) {
      const written = await query(
        `WITH written AS (${expected === null ? addSetting : replaceSetting} RETURNING name)
         SELECT pg_notify('${settingChannel}', name) FROM written`,
        expected === null ? [name, value, by] : [name, value, by, expected],
      )
      return written.length === 1
    },
    onSettings: (listen) => listener.on(settingChannel, listen, listen),

    addCommand: ({ id, verb, args, workers, askedBy, askedFrom, expiresInMs, ...rest }: NewCommand) =>
      write(
        `WITH written AS (
           INSERT INTO celeriac.command (id, verb, args, workers, asked_by, asked_from, expires_at, is_question, affected)
           VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond', $8, $9))
         SELECT pg_notify('${commandChannel}', $1::text) WHERE cardinality($4::uuid[]) > 0`,
        [
          ...[id, verb, args, workers, askedBy, askedFrom, expiresInMs],
          ...[rest.isQuestion ?? false, rest.affected ?? null],
        ],
      ),
    closeCommand: (id, outcome, affected) =>
      write('UPDATE celeriac.command SET outcome = $2, affected = coalesce($3, affected) WHERE id = $1', [
        ...[id, outcome, affected ?? null],
      ]),
    ...createCommandList(query),
    commandsFor: (workerId) =>
      query<AskedCommand>(
        `SELECT c.id, c.verb, c.args, c.asked_by AS "askedBy", c.asked_from AS "askedFrom",
           (extract(epoch FROM c.expires_at - now()) * 1000)::float8 AS "leftMs" FROM celeriac.command c
         WHERE ${isAsked} ORDER BY c.id`,
        [workerId],
      ),
    addReply: ({ commandId, workerId, ok, value }: NewReply) =>
      write(
        `WITH written AS (
           INSERT INTO celeriac.reply (command_id, worker_id, ok, value) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING)
         SELECT pg_notify('${replyChannel}', $1::text)`,
        [commandId, workerId, ok, value],
      ),
    repliesTo: (commandId) =>
      query<Reply>(
        `SELECT command_id AS "commandId", worker_id AS "workerId", ok, value, replied_at AS "repliedAt"
         FROM celeriac.reply WHERE command_id = $1 ORDER BY replied_at, worker_id`,
        [commandId],
      ),
    onCommand: (listen) => listener.on(commandChannel, listen, listen),
    onReply: (listen) => listener.on(replyChannel, listen, () => listen(undefined)),
    async pruneCommands() {
      const gone = await query(
        `WITH gone AS (DELETE FROM celeriac.command WHERE asked_at < now() - interval '90 days'
             OR (is_question AND asked_at < now() - interval '1 day') RETURNING id),
           replies AS (DELETE FROM celeriac.reply r USING gone WHERE r.command_id = gone.id),
           operations AS (DELETE FROM celeriac.operation o USING gone WHERE o.id = gone.id)
         SELECT id FROM gone`,
      )
      return gone.length
    },
  }
}

const addSetting =
  'INSERT INTO celeriac.setting (name, value, set_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING'
const replaceSetting =
  'UPDATE celeriac.setting SET value = $2, set_by = $3, set_at = now() WHERE name = $1 AND value = $4'
