import { createInterface } from 'node:readline'
import { openEmbedded } from '../../src/embedded/postgres.js'

// A process of an app, for the tests beside this file: it joins, says what it hears, and leaves when it is told to.
const [root = '', lingerMs = ''] = process.argv.slice(2)
const say = (words: object) => console.log(JSON.stringify(words))

try {
  const embedded = await openEmbedded({
    root,
    lingerMs: Number(lingerMs),
    log: { info: (info) => say({ info }), warn: (warn) => say({ warn }) },
  })
  say({ url: embedded.url })
  for await (const word of createInterface({ input: process.stdin })) {
    if (word === 'close') await embedded.close()
    if (word === 'end') break
  }
} catch (error) {
  say({ error: String(error), code: (error as { code?: string }).code })
}
process.stdin.destroy()
