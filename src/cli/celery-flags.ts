import { type Command, Option } from 'commander'
import { ConfigError } from '../errors.js'
import { note } from './kit.js'

/** A flag of Celery's worker that is not needed here: it is taken, and a line says why. */
interface Needless {
  readonly flags: string
  readonly word: string
}

/** A flag of Celery's worker that would mean something: it is refused with what to do instead. */
interface Instead {
  readonly flags: string
  readonly instead: string
}

const daemon = 'let systemd run the worker as it is to be (docs/deploy.md).'

const flags: readonly (Needless | Instead)[] = [
  { flags: '-E, --task-events', word: 'events are always recorded: celeriac events' },
  { flags: '--without-gossip', word: 'workers do not gossip.' },
  { flags: '--without-mingle', word: 'workers do not mingle: all they need to know is in the store.' },
  {
    flags: '--without-heartbeat',
    word: 'the lease is what gives the jobs of a dead worker to others, and stays on.',
  },
  {
    flags: '--heartbeat-interval <seconds>',
    word: 'say "heartbeat" in the config, where all workers find it.',
  },
  {
    flags: '-O, --optimization <profile>',
    word: 'a job never waits behind a busy slot: it is given back, as with "fair".',
  },
  {
    flags: '--prefetch-multiplier <number>',
    word: 'how much is taken ahead follows from how long jobs take.',
  },
  { flags: '--disable-prefetch', word: 'a job never waits behind a busy slot: it is given back.' },
  { flags: '-S, --statedb <file>', word: 'cancels are kept in the store.' },
  { flags: '--skip-checks', word: 'there are no checks at start: celeriac check' },
  { flags: '-q, --quiet', word: 'say --loglevel warn.' },
  {
    flags: '-D, --detach',
    instead: `a worker stays in the foreground: let systemd or a container run it (docs/deploy.md). For a moment: nohup npx celeriac worker &`,
  },
  {
    flags: '-B, --beat',
    instead: 'there are no schedules yet. Start the worker without it, and enqueue by cron.',
  },
  { flags: '-s, --schedule <file>', instead: 'there are no schedules yet.' },
  { flags: '--scheduler <class>', instead: 'there are no schedules yet.' },
  {
    flags: '-f, --logfile <file>',
    instead: 'the log goes to standard output: say >> file, or let systemd or the container keep it.',
  },
  {
    flags: '-I, --include <modules>',
    instead: 'say "modules" in celeriac.config.ts, where the web process finds them too.',
  },
  {
    flags: '-b, --broker <url>',
    instead:
      'a URL in a command line is seen by all: set CELERIAC_BROKER_URL or REDIS_URL, or say --env-file.',
  },
  {
    flags: '--result-backend <url>',
    instead: 'results are in the store: set CELERIAC_DATABASE_URL or DATABASE_URL, or say --env-file.',
  },
  { flags: '--workdir <folder>', instead: 'say -A <folder>, or cd to it.' },
  { flags: '--uid <user>', instead: daemon },
  { flags: '--gid <group>', instead: daemon },
  { flags: '--umask <mask>', instead: daemon },
  { flags: '--executable <file>', instead: daemon },
]

/** Lets a worker's command line know Celery's flags, without a word of them in its help. */
export function addCeleryFlags(worker: Command): void {
  for (const each of flags) worker.addOption(new Option(each.flags).hideHelp())
}

/** @throws {ConfigError} with what to do instead, where a flag would have meant something */
export function heedCeleryFlags(said: object): void {
  for (const each of flags) {
    const option = new Option(each.flags)
    if (Reflect.get(said, option.attributeName()) === undefined) continue
    const name = [option.short, option.long].filter(Boolean).join(', ')
    if ('instead' in each) throw new ConfigError(`${name}: ${each.instead}`)
    note(`celeriac: ${name} is not needed: ${each.word}`)
  }
}
