import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Verdict } from './checker/verdict.js'
import type { BrokerKind } from './servers.js'

const file = fileURLToPath(new URL('../../docs/faults.md', import.meta.url))

/** Puts the counts of a long run into the document, in place of those of the last one on that broker. */
export function writeCounts(broker: BrokerKind, seed: number, { counts }: Verdict): void {
  const [begin, end] = [`<!-- counts of ${broker} -->`, `<!-- end of ${broker} -->`]
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to === -1) throw new Error(`${file} has no place for the counts of ${broker}.`)
  const rows = Object.entries(counts).map(([name, count]) => `| ${name} | ${count.toLocaleString('en')} |`)
  const table = [
    `Seed ${seed}, ${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}.`,
    '',
    '| | |',
    '|---|---|',
    ...rows,
  ]
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n${table.join('\n')}\n${text.slice(to)}`)
}
