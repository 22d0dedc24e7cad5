import { type Check, fault, inTwo, ok, warning } from './check.js'

export const migrationsCheck: Check = {
  id: 'migrations',
  title: 'tables',
  judge({ tables, config }) {
    if (!tables || typeof config === 'string') return undefined
    // Newer, edited or half applied: the message says what to do, after its first sentence.
    if ('message' in tables)
      return fault(...inTwo(tables.message, 'Install the version of Celeriac that migrated the database.'))
    const { applied, pending } = tables
    if (pending.length === 0) return ok('up to date')
    const what =
      applied.length === 0 ? 'no tables of Celeriac' : `older tables: it lacks ${pending.join(', ')}`
    if (config.migrate)
      return warning(
        `The database has ${what}. They are made when a process of the app starts ("migrate" is on).`,
        'Nothing, or at once: npx celeriac migrate',
      )
    return fault(`The database has ${what}.`, 'Run: npx celeriac migrate')
  },
}
