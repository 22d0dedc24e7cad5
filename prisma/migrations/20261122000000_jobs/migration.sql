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
    "concurrency" INTEGER NOT NULL,
    "version" TEXT NOT NULL,
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

CREATE TABLE "celeriac"."pass" (
    "name" TEXT NOT NULL,
    "ran_at" TIMESTAMPTZ(3) NOT NULL,

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

-- What a caller names twice exists once, within its owner.
CREATE UNIQUE INDEX "job_idempotency" ON "celeriac"."job"("task", COALESCE("owner", ''), "idempotency_key") WHERE "idempotency_key" IS NOT NULL;
