import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { compiledFolder } from '../compile.js'
import { startContender } from '../contender.js'
import type { Finding } from '../finding.js'
import { embeddedDefault, names, twoServers } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, measureInTurn, median, show } from '../rounds.js'

const bareName = 'Express alone'
const longestMoreMs = 1000
const modules = ['reports', 'mail', 'media']
const tasks = 40

/** How long an app takes from start to ready on warm servers, with three modules and forty tasks, and without. */
export const start: Part = async (servers, { rounds = 5 }) => {
  const folder = writeModules()
  const embedded = await embeddedDefault(servers)
  const onRedis = { ...(await twoServers(servers)), root: folder, modules: '*' }
  const onEmbedded = { ...embedded, modules: join(relative(embedded.root, folder), '*') }
  const lanes = [
    { name: bareName, measure: () => timeStart('app-bare', {}) },
    { name: names.onRedis, measure: () => timeStart('app-celeriac', onRedis) },
    { name: names.onEmbedded, measure: () => timeStart('app-celeriac', onEmbedded) },
  ]
  const measured = await measureInTurn(lanes, rounds)
  const bare = measured.get(bareName) ?? []

  return lanes.map(({ name }): Finding => {
    const more = median((measured.get(name) ?? []).map((ms, round) => ms - (bare[round] ?? Number.NaN)))
    return {
      part: 'start',
      name,
      figure: describe(measured, name, ' ms'),
      ...(name === bareName
        ? {}
        : { ratio: `+ ${show(more)} ms`, target: `≤ + ${longestMoreMs} ms`, met: more <= longestMoreMs }),
    }
  })
}

async function timeStart(program: string, settings: object): Promise<number> {
  const startedAt = performance.now()
  const app = await startContender(program, settings)
  const ms = performance.now() - startedAt
  await app.close()
  return ms
}

/** Writes tasks files as they are after an app's build, and gives the folder of their modules. */
function writeModules(): string {
  const root = join(compiledFolder, 'modules')
  for (const [at, name] of modules.entries()) {
    const folder = join(root, name)
    mkdirSync(folder, { recursive: true })
    const count = Math.floor((tasks + at) / modules.length)
    writeFileSync(join(folder, 'tasks.js'), tasksFile(count))
  }
  return root
}

function tasksFile(count: number): string {
  const definitions = Array.from(
    { length: count },
    (_, number) => `
export const task${number} = defineTask({
  payload: z.object({ month: z.string(), pages: z.number().int().optional() }),
  attempts: 5,
  run: ({ month }) => ({ url: \`/\${month}.pdf\` }),
})`,
  )
  return `import { defineTask } from 'celeriac'\nimport { z } from 'zod'\n${definitions.join('\n')}\n`
}
