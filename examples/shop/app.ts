import { serve } from './serve.js'
import { openShop } from './shop.js'
import { untilStopped } from './until-stopped.js'

const { PORT: port, HOST: host } = process.env

const shop = await serve(openShop(), { port, host })
console.log(`The shop is open: ${shop.url}
Its jobs run in a worker: node dist/cli/main.js worker -A examples/shop -Q default,mail`)

await untilStopped()
await shop.close()
