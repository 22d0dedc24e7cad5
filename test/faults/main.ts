import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makePostgresTemplate } from '../support/postgres.js'
import { until } from '../support/until.js'
import type { ClientEvent, Fault } from './checker/history.js'
import { closeClients } from './client.js'
import { freezeCode } from './code.js'
import { openJournal } from './journal.js'
import { createWeapons } from './nemesis.js'
import { createRandom } from './random.js'
import { type BrokerKind, query, startFaultServers } from './servers.js'
import { openSite } from './site.js'
import { startWorkload } from './workload.js'

const broker = (process.argv[2] ?? 'redis') as BrokerKind
const folder = mkdtempSync(join(tmpdir(), 'celeriac-faults-'))
chmodSync(folder, 0o755)
console.log(folder)
const random = createRandom(1)
await freezeCode(join(folder, 'code'))
const servers = await startFaultServers({ broker, folder, template: await makePostgresTemplate() })
const faults = openJournal<Fault>(join(folder, 'faults.jsonl'))
const clients = openJournal<ClientEvent>(join(folder, 'clients.jsonl'))
const site = await openSite({
  servers,
  folder,
  code: join(folder, 'code'),
  webs: 2,
  workers: 2,
  concurrency: 20,
  faults,
})
const weapons = createWeapons(site, faults, random)
const load = startWorkload({
  random,
  journal: clients,
  urls: site.webs.map(({ url }) => url),
  jobs: 1000,
  name: 'thin',
  jobsPerSecond: 200,
})
setTimeout(() => void weapons.killWorker(), 3000)
const t = setInterval(
  async () =>
    console.log(
      load.accepted,
      await query(site.databaseUrl, 'SELECT state, count(*) FROM celeriac.job GROUP BY 1').catch(
        (e) => e.message,
      ),
    ),
  2000,
)
await load.done
console.log('asked')
await until(
  async () =>
    (
      await query<{ n: number }>(
        site.databaseUrl,
        'SELECT count(*)::int AS n FROM celeriac.job WHERE finished_at IS NULL',
      )
    )[0]?.n === 0,
  { timeoutMs: 60000, everyMs: 500 },
)
clearInterval(t)
console.log(await query(site.databaseUrl, 'SELECT state, count(*) FROM celeriac.job GROUP BY 1'))
console.log(
  await query(servers.witness.url, 'SELECT kind, count(*), count(distinct id) FROM effect GROUP BY 1'),
)
await site.close()
faults.close()
clients.close()
closeClients()
await servers.stop()
