/** `1 job`, `2 jobs`: for the log. */
export function jobs(count: number, kind = 'job'): string {
  return `${count} ${kind}${count === 1 ? '' : 's'}`
}
