import type { Command } from 'commander'
import { addAbsent } from './kit.js'

/** Commands that Celery has, and what to do here. */
const words: Readonly<Record<string, string>> = {
  flower: 'the pages are here: celeriac dashboard --port 5555',
  beat: 'there are no schedules yet: enqueue by cron with celeriac call.',
  multi:
    'let systemd, a container platform or a process manager run several workers (docs/deploy.md); names tell them apart: celeriac worker -n "mail@%h".',
  shell: 'in Node: import { celeriac } from "celeriac", and await jobs.enqueue("task.name", payload).',
  list: 'there are no bindings: celeriac queues shows who serves what.',
  graph: 'there is no graph of steps: celeriac status shows workers and queues.',
  upgrade: 'there are no old settings to rewrite: celeriac check says what is wrong with those that are.',
  logtool: 'lines are JSON: read them with jq; celeriac jobs list finds jobs by state, time and error.',
  amqp: 'there is no AMQP: celeriac jobs, queues and purge see what waits.',
}

export function addAbsentCommands(program: Command): void {
  for (const [name, word] of Object.entries(words)) addAbsent(program, name, word)
}
