import { scenarios } from './scenarios/all.js'

/** A fault, and where it is injected. The numbers are stable: tests cite them. */
interface Entry {
  readonly number: string
  readonly what: string
  /** Part of the random runs, short and long. */
  readonly inSoak?: true
  /** Tests of the ordinary suite that inject it. */
  readonly tests?: readonly string[]
  /** What it would need to be injected. Then it is not covered, or not all of it. */
  readonly needs?: string
}

const entries: readonly Entry[] = [
  entry('F1', 'a worker is killed in the middle of a job', {
    inSoak: true,
    tests: ['test/integration/lost-workers.test.ts'],
  }),
  entry('F2', 'a process is killed before and after every await'),
  entry('F3', 'a kill between the end of a handler and its commit, and between commit and acknowledgement'),
  entry('F4', 'a web process is killed between insert, dispatch and answer', { inSoak: true }),
  entry('F5', 'a job kills its worker each time', { tests: ['test/integration/lost-workers.test.ts'] }),
  entry('F6', 'a worker runs out of memory', { needs: 'a memory limit for one process (a cgroup, as root)' }),
  entry('F7', 'a worker stands still and goes on', {
    inSoak: true,
    tests: ['test/integration/lost-workers.test.ts'],
  }),
  entry('F8', 'a handler blocks the event loop', { tests: ['test/integration/lost-workers.test.ts'] }),
  entry('F9', 'a handler never settles and ignores its signal'),
  entry('F10', 'a handler ends its process, or throws where nobody catches'),
  entry('F11', 'signals that stop', { tests: ['test/cli/worker.test.ts', 'test/integration/stops.test.ts'] }),
  entry('F12', 'two versions of the package during a deploy', {
    needs: 'a published version before this one',
  }),
  entry('F13', 'a task that the new deploy lacks', { tests: ['test/worker/worker.test.ts'] }),
  entry('F14', 'two schedulers, one killed at its tick', { needs: 'schedules, which are not there yet' }),
  entry('F15', 'Redis is killed and comes back with its data', {
    inSoak: true,
    tests: ['test/contract/broker.test.ts'],
  }),
  entry('F16', 'Redis comes back empty, is emptied, or loses a key', {
    inSoak: true,
    tests: ['test/maintain/broker-loss.test.ts', 'test/maintain/lost-deliveries.test.ts'],
  }),
  entry('F17', 'a power cut', { needs: 'a file system that forgets what was not synced (FUSE, as root)' }),
  entry('F18', 'a fail-over by Sentinel', { needs: 'support for Sentinel, which is not promised yet' }),
  entry('F19', 'a split brain', { needs: 'network namespaces, as root' }),
  entry('F20', 'a Redis Cluster that moves slots', {
    needs: 'support for Cluster, which is not promised yet',
  }),
  entry('F21', 'half-open connections', {
    inSoak: true,
    tests: ['test/store/listen.test.ts', 'test/store/connection.test.ts', 'test/broker/faults.test.ts'],
  }),
  entry('F22', 'latency, single bytes, resets', { inSoak: true }),
  entry('F23', 'the memory of Redis is full, and it evicts nothing'),
  entry('F24', 'Redis evicts keys', {
    tests: ['test/broker/redis.test.ts'],
    needs: 'to be forced: it is warned about',
  }),
  entry('F25', 'the disk of Redis is full', { needs: 'a small file system (a tmpfs, as root)' }),
  entry('F26', 'Redis forgets its scripts, or stands still'),
  entry('F27', 'Redis cuts, limits or refuses its clients', {
    needs: 'for a changed certificate: a Redis with TLS',
  }),
  entry('F28', 'a demoted or loading Redis', { needs: 'a data set of gigabytes' }),
  entry('F29', 'a trimmed event stream', { needs: 'nothing: Celeriac reads no event stream' }),
  entry('F30', 'PostgreSQL is stopped at once, or ends all sessions', {
    inSoak: true,
    tests: ['test/integration/outages.test.ts'],
  }),
  entry('F31', 'a fail-over of PostgreSQL', { needs: 'a streaming replica' }),
  entry('F32', 'PostgreSQL is slow, or locked'),
  entry('F33', 'PostgreSQL has no connection left, or gives one'),
  entry('F34', 'the disk of PostgreSQL is full', { needs: 'a small file system (a tmpfs, as root)' }),
  entry('F35', 'deadlocks, conflicts, and rows changed by hand', {
    tests: ['test/store/connection.test.ts'],
  }),
  entry('F36', 'reads from a lagging replica', { needs: 'nothing: Celeriac reads where it writes' }),
  entry('F37', 'a schema that is missing, older, newer, or migrated by ten at once', {
    tests: ['test/store/migrate.test.ts'],
  }),
  entry('F38', 'SQLite', { needs: 'nothing: there is no such store' }),
  entry('F39', 'one server is there and the other one is not', {
    inSoak: true,
    tests: ['test/integration/outages.test.ts', 'test/http/outage.test.ts', 'test/worker/outage.test.ts'],
  }),
  entry('F40', 'clocks that are wrong'),
  entry('F41', 'odd and very long delays'),
  entry('F42', 'NUL and lone surrogates', { tests: ['test/integration/hostile-values.test.ts'] }),
  entry('F43', 'results that JSON cannot carry', { tests: ['test/integration/hostile-values.test.ts'] }),
  entry('F44', 'odd things thrown', { tests: ['test/integration/hostile-values.test.ts'] }),
  entry('F45', 'very large values, and very many reports', {
    tests: ['test/http/accept.test.ts', 'test/integration/hostile-values.test.ts'],
  }),
  entry('F46', 'a backlog of a million', { needs: 'a quiet machine: npm run bench -- backlog' }),
  entry('F47', 'ten thousand pollers', { needs: 'a quiet machine, and its limit of open files raised' }),
  entry('F48', 'a hundred thousand jobs due in one second', { needs: 'a quiet machine' }),
  entry('F49', 'one key, a hundred times at once', { tests: ['test/http/end-to-end.test.ts'] }),
  entry('F50', 'a cancel that races', { inSoak: true }),
  entry('F51', 'parents and children', { needs: 'workflows, which are not there yet' }),
  entry('F52', 'a hook throws or is slow'),
  entry('F53', 'no files, no processes, no /tmp, no names', {
    needs: 'limits of one process (prlimit, a namespace, as root)',
  }),
  entry('F54', 'partitions', { inSoak: true, needs: 'for one direction only: nftables, as root' }),
  entry('F55', 'a day of work', { needs: 'a day' }),
]

/** What is covered, and by what; or all about one number. */
export function listCatalogue(number?: string): string {
  const shown = entries.filter((candidate) => number === undefined || candidate.number === number)
  if (shown.length === 0) return `There is no fault ${number}.`
  return shown.map(toLine).join('\n')
}

/** Every test file that is named. */
export function namedTests(): readonly string[] {
  return [...new Set(entries.flatMap(({ tests = [] }) => tests))]
}

function entry(number: string, what: string, more: Omit<Entry, 'number' | 'what'> = {}): Entry {
  return { number, what, ...more }
}

function toLine({ number, what, inSoak, tests = [], needs }: Entry): string {
  const shown = scenarios.filter(({ faults }) => faults.includes(number))
  const covered = [
    ...shown.map(({ long }) => (long ? 'by number' : 'by number, and by seed in the short run')).slice(0, 1),
    ...(inSoak ? ['in the random runs'] : []),
    ...tests,
  ]
  const by = covered.length > 0 ? covered.join(', ') : 'SKIPPED'
  return `${number.padEnd(4)} ${what}\n     ${by}${needs === undefined ? '' : `; needs ${needs}`}`
}
