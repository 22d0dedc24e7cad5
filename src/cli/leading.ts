/** Flags of all commands, which Celery takes before the command: `celeriac -A src worker`. */
export const leadingFlags: readonly string[] = Object.freeze(['-A', '--app', '--env-file'])

/** Moves such flags behind the command, where they belong. @param args without the program */
export function moveLeading(args: readonly string[]): readonly string[] {
  const [flag = '', value] = args
  const isJoined = leadingFlags.some((known) => flag.startsWith(`${known}=`))
  if (isJoined) return behind(moveLeading(args.slice(1)), [flag])
  if (!leadingFlags.includes(flag) || value === undefined) return args
  return behind(moveLeading(args.slice(2)), [flag, value])
}

/** Behind `--` nothing is a flag. */
function behind(args: readonly string[], flags: readonly string[]): readonly string[] {
  const at = args.indexOf('--')
  return at === -1 ? [...args, ...flags] : [...args.slice(0, at), ...flags, ...args.slice(at)]
}
