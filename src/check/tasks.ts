import { type Check, fault, inTwo, ok } from './check.js'

export const tasksCheck: Check = {
  id: 'tasks',
  title: 'tasks',
  judge({ config, tasks }) {
    if (tasks === undefined || typeof config === 'string') return undefined
    if (typeof tasks === 'string')
      return fault(...inTwo(tasks.trim(), 'Mend the file that it names, and check again.'))
    const { length } = tasks.names
    if (length > 0) return ok(`${length} ${length === 1 ? 'is' : 'are'} found`)
    return fault(
      `There are no tasks in ${config.modules.join(', ') || '"tasks"'}, looked for from ${config.root}.`,
      'Export one by defineTask from a tasks.ts there, or say in "modules" where they are.',
    )
  },
}
