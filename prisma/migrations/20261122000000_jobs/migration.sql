CREATE SCHEMA IF NOT EXISTS "celeriac";

CREATE TYPE "celeriac"."job_state" AS ENUM ('scheduled', 'queued', 'running', 'retrying', 'succeeded', 'failed', 'cancelled', 'expired');

CREATE TABLE "celeriac"."job" (
    "id" UUID NOT NULL,
    "task" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "state" "celeriac"."job_state" NOT NULL,
    "payload" TEXT NOT NULL,
    "options" TEXT,
    "result" TEXT,
    "result_error" TEXT,
    "error" TEXT,
    "progress" TEXT,
    "priority" INTEGER NOT NULL DEFAULT 0,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" INTEGER NOT NULL DEFAULT 1,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "lost" INTEGER NOT NULL DEFAULT 0,
    "delivery" INTEGER NOT NULL DEFAULT 1,
    "worker_id" UUID,
    "owner" TEXT,
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "idempotency_key" TEXT,
    "parent_id" UUID,
    "request_id" TEXT,
    "traceparent" TEXT,
    "context" TEXT,
    "limit_key" TEXT,
    "run_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "dispatched_at" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "cancel_requested_at" TIMESTAMPTZ(3),
    "cancelled_by" TEXT,
    "cancel_reason" TEXT,
    "attempts" TEXT NOT NULL DEFAULT '[]',

    CONSTRAINT "job_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE "celeriac"."worker" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "queues" TEXT[],
    "tasks" TEXT[],
    "task_options" TEXT NOT NULL DEFAULT '{}',
    "concurrency" INTEGER NOT NULL,
    "pool" TEXT NOT NULL DEFAULT 'inline',
    "version" TEXT NOT NULL,
    "node_version" TEXT NOT NULL DEFAULT '',
    "app_version" TEXT,
    "config" TEXT NOT NULL DEFAULT '{}',
    "report" TEXT NOT NULL DEFAULT '{}',
    "reported_at" TIMESTAMPTZ(3),
    "config_hash" TEXT NOT NULL,
    "missed" INTEGER NOT NULL DEFAULT 0,
    "missed_limit" INTEGER NOT NULL DEFAULT 5,
    "lock_key" BIGINT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "stopped_at" TIMESTAMPTZ(3),
    "lost_at" TIMESTAMPTZ(3),
    "freed" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "worker_pkey" PRIMARY KEY ("id")
);

-- What workers said of themselves, by minute and by hour: the most of it, and how many attempts ended.
CREATE TABLE "celeriac"."worker_stat" (
    "worker_id" UUID NOT NULL,
    "minutes" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "running" INTEGER NOT NULL,
    "concurrency" INTEGER NOT NULL,
    "memory" BIGINT NOT NULL,
    "loop_delay_ms" DOUBLE PRECISION NOT NULL,
    "cpu" DOUBLE PRECISION NOT NULL,
    "processed" BIGINT NOT NULL,

    CONSTRAINT "worker_stat_pkey" PRIMARY KEY ("worker_id", "minutes", "at")
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE "celeriac"."pass" (
    "name" TEXT NOT NULL,
    "ran_at" TIMESTAMPTZ(3) NOT NULL,
    "is_returned" BOOLEAN NOT NULL DEFAULT false,
    "repaired" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "pass_pkey" PRIMARY KEY ("name")
);

-- What was written and may not have reached the broker: a range of ids for each insert, gone when the broker has them.
CREATE TABLE "celeriac"."outbox" (
    "first" UUID NOT NULL,
    "last" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("first")
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE "celeriac"."installation" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "broker_mark" BIGINT NOT NULL DEFAULT 0,
    "broker_instance" TEXT,
    "store_started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "installation_pkey" PRIMARY KEY ("id")
);

INSERT INTO "celeriac"."installation" DEFAULT VALUES;

CREATE TABLE "celeriac"."walk" (
    "name" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3),
    "queue" TEXT NOT NULL,
    "job_id" UUID NOT NULL,
    "step" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "walk_pkey" PRIMARY KEY ("name")
);

CREATE TABLE "celeriac"."prune" (
    "task" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "finished_at" TIMESTAMPTZ(3) NOT NULL,
    "job_id" UUID NOT NULL,
    "begun_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "prune_pkey" PRIMARY KEY ("task", "rule")
);

-- Jobs that are due and wait for the limits of their task or queue. No delivery speaks for them: a worker asks whose turn it is.
CREATE TABLE "celeriac"."turn" (
    "job_id" UUID NOT NULL,
    "task" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "priority" INTEGER NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "turn_pkey" PRIMARY KEY ("job_id")
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX "turn_order" ON "celeriac"."turn"("task", "queue", "key", "priority", "job_id");

-- Running jobs of tasks and queues with limits.
CREATE TABLE "celeriac"."permit" (
    "job_id" UUID NOT NULL,
    "task" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "key" TEXT NOT NULL,

    CONSTRAINT "permit_pkey" PRIMARY KEY ("job_id")
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX "permit_task" ON "celeriac"."permit"("task", "key");

CREATE INDEX "permit_queue" ON "celeriac"."permit"("queue");

-- Where a limit stands: when its next job may start, and whose turn it was last. Each admission raises the step of the
-- rows that it went by, and holds only where nobody else has.
CREATE TABLE "celeriac"."limit_state" (
    "name" TEXT NOT NULL,
    "next_at" TIMESTAMPTZ(6),
    "recent" TEXT,
    "last_key" TEXT,
    "step" INTEGER NOT NULL DEFAULT 0,
    "used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "limit_state_pkey" PRIMARY KEY ("name")
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- What was set while the app ran, by name: it goes before what code, configuration and flags say, also after a restart.
CREATE TABLE "celeriac"."setting" (
    "name" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "set_by" TEXT,
    "set_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "setting_pkey" PRIMARY KEY ("name")
);

-- What somebody asked of workers, or of all: who, when, from where. It is the audit as well.
CREATE TABLE "celeriac"."command" (
    "id" UUID NOT NULL,
    "verb" TEXT NOT NULL,
    "args" TEXT NOT NULL DEFAULT '{}',
    "workers" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "asked_by" TEXT,
    "asked_from" TEXT NOT NULL,
    "asked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "outcome" TEXT,
    "affected" INTEGER,
    "is_question" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "command_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "command_asked" ON "celeriac"."command"("asked_at", "id");

CREATE INDEX "command_verb" ON "celeriac"."command"("verb", "asked_at", "id");

CREATE INDEX "command_by" ON "celeriac"."command"("asked_by", "asked_at", "id");

-- The audit: what changed something.
CREATE INDEX "command_changes" ON "celeriac"."command"("asked_at", "id") WHERE NOT "is_question";

CREATE INDEX "command_expires" ON "celeriac"."command"("expires_at");

-- An action on many jobs, while it is worked off and after. Its id is that of its command.
CREATE TABLE "celeriac"."operation" (
    "id" UUID NOT NULL,
    "plan" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'running',
    "is_lasting" BOOLEAN NOT NULL,
    "runner" UUID NOT NULL,
    "step" INTEGER NOT NULL DEFAULT 0,
    "cursor" TEXT,
    "done" INTEGER NOT NULL DEFAULT 0,
    "affected" INTEGER NOT NULL DEFAULT 0,
    "counts" TEXT NOT NULL DEFAULT '{}',
    "matched" INTEGER NOT NULL DEFAULT 0,
    "is_more" BOOLEAN NOT NULL DEFAULT true,
    "rate" DOUBLE PRECISION,
    "moved_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "stopped_by" TEXT,
    "error" TEXT,

    CONSTRAINT "operation_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- Those that are under way: few.
CREATE INDEX "operation_open" ON "celeriac"."operation"("id") WHERE "state" = 'running';

-- What a worker answered to a command: once.
CREATE TABLE "celeriac"."reply" (
    "command_id" UUID NOT NULL,
    "worker_id" UUID NOT NULL,
    "ok" BOOLEAN NOT NULL,
    "value" TEXT NOT NULL,
    "replied_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "reply_pkey" PRIMARY KEY ("command_id", "worker_id")
);

-- Which job holds a key that its task keeps unique, among the jobs of one owner.
CREATE TABLE "celeriac"."unique_key" (
    "task" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "job_id" UUID NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "until" TIMESTAMPTZ(3),

    CONSTRAINT "unique_key_pkey" PRIMARY KEY ("task", "owner", "key")
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- Idempotency keys of calls that were led to a job of another call, or whose payload another call has replaced.
CREATE TABLE "celeriac"."unique_call" (
    "task" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "job_id" UUID NOT NULL,
    "payload_hash" TEXT NOT NULL,

    CONSTRAINT "unique_call_pkey" PRIMARY KEY ("task", "owner", "idempotency_key")
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- What handlers logged.
CREATE TABLE "celeriac"."job_log" (
    "job_id" UUID NOT NULL,
    "number" BIGINT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "level" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "details" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "job_log_pkey" PRIMARY KEY ("job_id", "number")
);

-- What happened to jobs, counted by the statement that did it: a line for each kind of move. A pass adds them up.
CREATE TABLE "celeriac"."stat_delta" (
    "task" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "was" TEXT NOT NULL,
    "is" TEXT NOT NULL,
    "how" TEXT NOT NULL,
    "jobs" INTEGER NOT NULL,
    "took" REAL[],
    "total" REAL[],
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- It has no key, and a publication of all tables must let its lines go.
ALTER TABLE "celeriac"."stat_delta" REPLICA IDENTITY FULL;

-- All moves since the beginning. Of durations, the sum; and a list: counts by bucket, then the shortest and the longest, in
-- whole milliseconds. Empty: none was measured.
CREATE TABLE "celeriac"."stat_total" (
    "task" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "was" TEXT NOT NULL,
    "is" TEXT NOT NULL,
    "how" TEXT NOT NULL,
    "jobs" BIGINT NOT NULL,
    "took_ms" DOUBLE PRECISION NOT NULL,
    "took" BIGINT[] NOT NULL,
    "total_ms" DOUBLE PRECISION NOT NULL,
    "total" BIGINT[] NOT NULL,

    CONSTRAINT "stat_total_pkey" PRIMARY KEY ("task", "queue", "was", "is", "how")
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- What happened, by minute, by hour and by day: for charts. An empty name stands for all tasks, or all queues.
CREATE TABLE "celeriac"."stat" (
    "minutes" INTEGER NOT NULL,
    "task" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "enqueued" BIGINT NOT NULL,
    "requeued" BIGINT NOT NULL,
    "started" BIGINT NOT NULL,
    "succeeded" BIGINT NOT NULL,
    "failed" BIGINT NOT NULL,
    "cancelled" BIGINT NOT NULL,
    "expired" BIGINT NOT NULL,
    "retried" BIGINT NOT NULL,
    "lost" BIGINT NOT NULL,
    "queued" BIGINT NOT NULL,
    "delayed" BIGINT NOT NULL,
    "running" BIGINT NOT NULL,
    "wait_ms" DOUBLE PRECISION NOT NULL,
    "run_ms" DOUBLE PRECISION NOT NULL,
    "wait" BIGINT[] NOT NULL,
    "run" BIGINT[] NOT NULL,

    CONSTRAINT "stat_pkey" PRIMARY KEY ("minutes", "task", "queue", "at")
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- Since when the oldest job of a queue that is due waits.
CREATE TABLE "celeriac"."stat_queue" (
    "queue" TEXT NOT NULL,
    "oldest_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stat_queue_pkey" PRIMARY KEY ("queue")
);

CREATE INDEX "worker_live" ON "celeriac"."worker"("stopped_at", "lost_at");

-- The indexes of `job` are partial, so they are not in schema.prisma, which has no predicates. None names a column
-- that `claim` changes: an index that did would cost every claim a new entry in each index.

-- Lists of ended jobs, newest first.
CREATE INDEX "job_finished" ON "celeriac"."job"("finished_at", "id") WHERE "finished_at" IS NOT NULL;

-- Pruning by task.
CREATE INDEX "job_task_finished" ON "celeriac"."job"("task", "finished_at", "id") WHERE "finished_at" IS NOT NULL;

-- Lists and counts of a queue's failed, cancelled and expired jobs. A job that succeeds has no entry here.
CREATE INDEX "job_unsuccessful" ON "celeriac"."job"("queue", "finished_at", "id")
    WHERE "finished_at" IS NOT NULL AND ("error" IS NOT NULL OR "cancel_requested_at" IS NOT NULL OR "expires_at" <= "finished_at");

-- Jobs that have not ended: lists and counts of a queue, and the jobs of a lost worker.
CREATE INDEX "job_open" ON "celeriac"."job"("queue", "id") WHERE "finished_at" IS NULL;

-- Rows that were not handed to the broker: what is due later, and what is to be delivered anew.
CREATE INDEX "job_undispatched" ON "celeriac"."job"("run_at") WHERE "dispatched_at" IS NULL;

-- Delayed and retrying rows, for the overdue pass.
CREATE INDEX "job_delayed" ON "celeriac"."job"("run_at") WHERE "finished_at" IS NULL AND "run_at" > "created_at";

-- Jobs that may become too late to start.
CREATE INDEX "job_expiring" ON "celeriac"."job"("expires_at") WHERE "finished_at" IS NULL AND "expires_at" IS NOT NULL;

-- The children of a job, in their order. A job without a parent has no entry.
CREATE INDEX "job_parent" ON "celeriac"."job"("parent_id", "id") WHERE "parent_id" IS NOT NULL;

-- What a caller names twice exists once, within its owner.
CREATE UNIQUE INDEX "job_idempotency" ON "celeriac"."job"("task", COALESCE("owner", ''), "idempotency_key") WHERE "idempotency_key" IS NOT NULL;

-- A job with limits has a turn while it is queued and a permit while it runs, whatever statement moves it: no count can
-- drift. For all other jobs the conditions cost a comparison.
CREATE FUNCTION "celeriac"."keep_limits"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> 'running' THEN
    DELETE FROM celeriac.permit WHERE job_id = NEW.id;
  END IF;
  IF NEW.state = 'queued' THEN
    INSERT INTO celeriac.turn (job_id, task, queue, key, priority)
    VALUES (NEW.id, NEW.task, NEW.queue, NEW.limit_key, NEW.priority)
    ON CONFLICT (job_id) DO UPDATE SET key = excluded.key, priority = excluded.priority;
    PERFORM pg_notify('celeriac_turn', NEW.queue || ' ' || NEW.task);
  ELSE
    DELETE FROM celeriac.turn WHERE job_id = NEW.id;
  END IF;
  IF NEW.state = 'running' THEN
    INSERT INTO celeriac.permit (job_id, task, queue, key)
    VALUES (NEW.id, NEW.task, NEW.queue, NEW.limit_key) ON CONFLICT (job_id) DO NOTHING;
  END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION "celeriac"."drop_limits"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM celeriac.turn WHERE job_id = OLD.id;
  DELETE FROM celeriac.permit WHERE job_id = OLD.id;
  RETURN NULL;
END
$$;

CREATE TRIGGER "job_limited_insert" AFTER INSERT ON "celeriac"."job"
    FOR EACH ROW WHEN (NEW.limit_key IS NOT NULL) EXECUTE FUNCTION "celeriac"."keep_limits"();

CREATE TRIGGER "job_limited_update" AFTER UPDATE ON "celeriac"."job"
    FOR EACH ROW WHEN (NEW.limit_key IS NOT NULL AND (NEW.state <> OLD.state OR OLD.limit_key IS NULL))
    EXECUTE FUNCTION "celeriac"."keep_limits"();

-- A finished job that is deleted has neither; one that is not, by hand, must leave none behind.
CREATE TRIGGER "job_limited_delete" AFTER DELETE ON "celeriac"."job"
    FOR EACH ROW WHEN (OLD.limit_key IS NOT NULL) EXECUTE FUNCTION "celeriac"."drop_limits"();

-- Writes jobs that their task keeps unique, one after the other, in the order of their keys: payloads of one call may be
-- each other's. The lock on the key's row makes it exact, however many processes and open transactions ask; what is
-- read behind it is read anew. Columns of the answer: the row that the call leads to, whether the call made it, whether
-- its idempotency key was used with another payload, or the payload of the row that has this key, and the delivery that
-- a debounce has moved.
CREATE FUNCTION "celeriac"."insert_unique"(asked json)
RETURNS TABLE (o_at int, o_id uuid, o_created boolean, o_conflicts boolean, o_payload text, o_state text,
  o_created_at timestamptz, o_due_in_ms float8, o_moved int)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  r record;
  held celeriac.unique_key;
  earlier celeriac.unique_call;
  j celeriac.job;
  clock timestamptz(3);
  due timestamptz(3);
  holds boolean;
BEGIN
  FOR r IN
    SELECT * FROM json_to_recordset(asked) AS a(n int, i uuid, t text, q text, p text, o text, pr int, m int, ow text,
      tg json, k text, pa uuid, rq text, tp text, cx text, lk text, d float8, at timestamptz, x float8,
      uk text, um text, ul float8, ux float8)
    ORDER BY a.t, coalesce(a.ow, ''), a.uk, a.n
  LOOP
    LOOP
      SELECT * INTO held FROM celeriac.unique_key u
        WHERE u.task = r.t AND u.owner = coalesce(r.ow, '') AND u.key = r.uk FOR UPDATE;
      EXIT WHEN FOUND;
      INSERT INTO celeriac.unique_key (task, owner, key, job_id) VALUES (r.t, coalesce(r.ow, ''), r.uk, r.i)
        ON CONFLICT DO NOTHING;
    END LOOP;
    clock := clock_timestamp();
    o_at := r.n; o_created := false; o_conflicts := false; o_payload := NULL; o_moved := NULL;

    -- Its own row, written by a try whose answer was lost; else one that the same idempotency key led to.
    SELECT * INTO j FROM celeriac.job WHERE id = r.i;
    IF FOUND THEN
      o_created := true;
    ELSIF r.k IS NOT NULL THEN
      SELECT * INTO earlier FROM celeriac.unique_call c
        WHERE c.task = r.t AND c.owner = coalesce(r.ow, '') AND c.idempotency_key = r.k;
      IF FOUND THEN
        SELECT * INTO j FROM celeriac.job WHERE id = earlier.job_id;
        o_conflicts := earlier.payload_hash <> md5(r.p);
      END IF;
      IF j.id IS NULL THEN
        SELECT * INTO j FROM celeriac.job
          WHERE task = r.t AND COALESCE(owner, '') = coalesce(r.ow, '') AND idempotency_key = r.k;
        o_payload := j.payload;
      END IF;
    END IF;

    IF j.id IS NULL THEN
      IF r.um = 'debounce' THEN
        SELECT * INTO j FROM celeriac.job WHERE id = held.job_id FOR UPDATE;
      ELSE
        SELECT * INTO j FROM celeriac.job WHERE id = held.job_id;
      END IF;
      -- What is too late to start holds nothing, though no pass has seen it yet.
      holds := CASE r.um
        WHEN 'window' THEN held.until > clock
        WHEN 'running' THEN j.state = 'running' OR (j.finished_at IS NULL AND coalesce(j.expires_at > clock, true))
        WHEN 'queued' THEN j.state IN ('scheduled', 'queued', 'retrying') AND coalesce(j.expires_at > clock, true)
        ELSE j.state IN ('scheduled', 'queued') AND j.attempt = 0 AND coalesce(j.expires_at > clock, true)
      END AND (j.id IS NOT NULL OR r.um = 'window');

      IF holds AND r.um = 'debounce' THEN
        due := greatest(clock, least(clock + r.ul * interval '1 millisecond', held.since + r.ux * interval '1 millisecond'));
        -- What is due already starts as it is, with the newest payload. What is put off gets a new delivery, for the
        -- old one would start it up to a second early. A pass sends it, where that is soon enough.
        UPDATE celeriac.job SET payload = r.p, limit_key = r.lk, expires_at = clock + r.x * interval '1 millisecond',
          run_at = CASE WHEN state = 'scheduled' THEN due ELSE run_at END,
          delivery = CASE WHEN state = 'scheduled' THEN delivery + 1 ELSE delivery END,
          dispatched_at = CASE WHEN state = 'scheduled' THEN NULL ELSE dispatched_at END
          WHERE id = j.id RETURNING * INTO j;
        IF j.state = 'scheduled' AND j.run_at < clock + interval '8 seconds' THEN
          o_moved := j.delivery;
        END IF;
      END IF;

      IF coalesce(holds, false) THEN
        IF j.id IS NULL THEN
          j.id := held.job_id; j.created_at := held.since; j.run_at := held.since;
        END IF;
      ELSE
        due := greatest(clock, r.at, clock + r.d * interval '1 millisecond');
        INSERT INTO celeriac.job (id, task, queue, state, payload, options, priority, max_attempts, owner, tags,
          idempotency_key, parent_id, request_id, traceparent, context, limit_key, created_at, run_at, expires_at, dispatched_at)
        VALUES (r.i, r.t, r.q, (CASE WHEN due > clock THEN 'scheduled' ELSE 'queued' END)::celeriac.job_state,
          r.p, r.o, coalesce(r.pr, 0), coalesce(r.m, 1), r.ow,
          CASE WHEN r.tg IS NULL THEN '{}'::text[] ELSE ARRAY(SELECT json_array_elements_text(r.tg)) END,
          r.k, r.pa, r.rq, r.tp, r.cx, r.lk, clock, due, clock + r.x * interval '1 millisecond',
          CASE WHEN due < clock + interval '59 seconds' THEN clock END)
        ON CONFLICT DO NOTHING RETURNING * INTO j;
        IF FOUND THEN
          o_created := true;
          UPDATE celeriac.unique_key SET job_id = r.i, since = clock,
            until = CASE WHEN r.um = 'window' THEN clock + r.ul * interval '1 millisecond' END
            WHERE task = r.t AND owner = coalesce(r.ow, '') AND key = r.uk;
        ELSE
          -- The same idempotency key was committed a moment ago, under another key of the task.
          SELECT * INTO j FROM celeriac.job
            WHERE task = r.t AND COALESCE(owner, '') = coalesce(r.ow, '') AND idempotency_key = r.k;
          o_payload := j.payload;
        END IF;
      END IF;
      IF r.k IS NOT NULL AND o_payload IS NULL AND (NOT o_created OR r.um = 'debounce') THEN
        INSERT INTO celeriac.unique_call (task, owner, idempotency_key, job_id, payload_hash)
          VALUES (r.t, coalesce(r.ow, ''), r.k, j.id, md5(r.p))
          ON CONFLICT (task, owner, idempotency_key) DO UPDATE SET job_id = excluded.job_id, payload_hash = excluded.payload_hash;
      END IF;
    END IF;

    o_id := j.id; o_state := j.state; o_created_at := j.created_at;
    o_due_in_ms := greatest(0, extract(epoch FROM j.run_at - clock) * 1000);
    RETURN NEXT;
    j := NULL;
  END LOOP;
END
$$;

-- A job's log goes with its row, whoever deletes it: one statement for all rows of one.
CREATE FUNCTION "celeriac"."drop_logs"() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  DELETE FROM celeriac.job_log WHERE job_id = ANY(ARRAY(SELECT id FROM gone));
  RETURN NULL;
END
$$;

CREATE TRIGGER "job_logs_delete" AFTER DELETE ON "celeriac"."job"
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "celeriac"."drop_logs"();

-- Whether JSON text has something at a path, for searches. What jsonb cannot carry counts as the character that stands for
-- none; text that it refuses for another reason has nothing there, for one row must not fail a search.
CREATE FUNCTION "celeriac"."json_has"(document text, path text, variables text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
  IF position('\u' IN document) > 0 THEN
    document := regexp_replace(document, '\\u(0000|d[89a-f][0-9a-f]{2})', '\ufffd', 'gi');
  END IF;
  RETURN coalesce(jsonb_path_exists(document::jsonb, path::jsonpath, variables::jsonb, true), false);
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN false;
END
$$;

-- Counts what happens to jobs, in the transaction in which it does, whatever statement moves them: no count can drift
-- from the rows. Each statement adds a line for each kind of move, so that nobody waits for a row of somebody else.
--
-- `was` and `is` are states; empty: there was, or is, no such job. `took` are milliseconds: for a start how long the job
-- had been due, else how long the attempt ran. `total` are those from the enqueue to the end.
CREATE FUNCTION "celeriac"."count_added"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO celeriac.stat_delta (task, queue, was, "is", how, jobs)
  SELECT task, queue, '', state, '', count(*) FROM added GROUP BY task, queue, state;
  RETURN NULL;
END
$$;

CREATE FUNCTION "celeriac"."count_moved"() RETURNS trigger LANGUAGE plpgsql SET enable_hashjoin = on AS $$
BEGIN
  INSERT INTO celeriac.stat_delta (task, queue, was, "is", how, jobs, took, total)
  SELECT n.task, n.queue, o.state, n.state,
    CASE WHEN n.lost > o.lost THEN 'lost'
      WHEN n.state = 'retrying' THEN CASE WHEN n.failures > o.failures THEN 'failed' ELSE 'snoozed' END
      WHEN o.state = 'running' AND n.state = 'queued'
        THEN CASE WHEN n.attempt < o.attempt THEN 'unstarted' ELSE 'returned' END
      ELSE '' END AS how,
    count(*),
    array_agg(greatest(0, 1000 * date_part('epoch', CASE WHEN n.state = 'running' THEN n.started_at - n.run_at
      ELSE coalesce(n.finished_at, now()) - n.started_at END))::real)
      FILTER (WHERE (n.state = 'running' OR o.state = 'running') AND n.state <> 'queued' AND n.lost = o.lost
        AND n.started_at IS NOT NULL),
    array_agg((1000 * date_part('epoch', n.finished_at - n.created_at))::real)
      FILTER (WHERE n.state IN ('succeeded', 'failed'))
  FROM was o JOIN becomes n ON n.id = o.id WHERE n.state <> o.state
  GROUP BY n.task, n.queue, o.state, n.state, how;
  RETURN NULL;
END
$$;

CREATE FUNCTION "celeriac"."count_removed"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO celeriac.stat_delta (task, queue, was, "is", how, jobs)
  SELECT task, queue, state, '', '', count(*) FROM gone GROUP BY task, queue, state;
  RETURN NULL;
END
$$;

CREATE TRIGGER "job_count_insert" AFTER INSERT ON "celeriac"."job"
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "celeriac"."count_added"();

CREATE TRIGGER "job_count_update" AFTER UPDATE ON "celeriac"."job"
    REFERENCING OLD TABLE AS was NEW TABLE AS becomes FOR EACH STATEMENT EXECUTE FUNCTION "celeriac"."count_moved"();

CREATE TRIGGER "job_count_delete" AFTER DELETE ON "celeriac"."job"
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "celeriac"."count_removed"();
