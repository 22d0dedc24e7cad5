/** What each pass of maintenance looks after. */
const meanings: Readonly<Record<string, string>> = {
  dispatch: 'Sends what was committed and did not reach the broker: its writer died, or the broker was away.',
  lost: 'Finds workers that died or went silent, and gives back what they ran.',
  overdue: 'Sends delayed jobs again that should have begun by now.',
  expiry: 'Ends jobs that waited too long to begin.',
  'broker-loss': 'Finds out whether the broker was wiped, or came back from an older snapshot.',
  restart: 'After a restart of the store: sends again what its last moments may have lost.',
  repair: 'Sends again what the broker has lost.',
  stuck: 'Finds queues whose jobs the broker does not hold any more.',
  net: 'Walks slowly through all that waits, and sends it once more, in case.',
  operations: 'Goes on with actions on many jobs whose process has died.',
  prune: 'Deletes finished jobs, workers and commands that are older or more than is kept.',
  'unique-keys': 'Deletes keys of unique jobs that hold nothing any more.',
  stats: 'Adds up what happened, for charts and metrics.',
  'stats-prune': 'Deletes figures that no chart reaches.',
}

/** Empty for one of another version. */
export function meaningOf(pass: string): string {
  return Object.hasOwn(meanings, pass) ? (meanings[pass] ?? '') : ''
}
