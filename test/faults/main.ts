import { sweepScratch } from '../support/scratch.js'
import { printVerdict } from './checker/verdict.js'
import { closeClients } from './client.js'
import { longShape, shortShape } from './plan.js'
import { openRunFolder } from './run-folder.js'
import type { BrokerKind } from './servers.js'
import { soak } from './soak.js'

sweepScratch()
const broker = (process.argv[2] ?? 'redis') as BrokerKind
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('Stopped.')))
const verdict = await soak({
  broker,
  seed: Number(process.argv[3] ?? 1),
  jobs: 3000,
  shape: shortShape,
  folder: openRunFolder(`${broker}-try`, process.argv.includes('--resume')),
  webs: 2,
  workers: 3,
  concurrency: 20,
  workloadMs: 25_000,
  limits: {},
  tell: console.log,
  stopped: stop.signal,
})
console.log(printVerdict(verdict))
closeClients()
