import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { listCatalogue, namedTests } from './catalogue.js'
import { scenarios } from './scenarios/all.js'

const root = new URL('../../', import.meta.url)

test('every fault is listed: covered, or skipped with what it would need', () => {
  for (let number = 1; number <= 55; number += 1) {
    const line = listCatalogue(`F${number}`)
    expect(line).toContain(`F${number} `)
    if (line.includes('SKIPPED')) expect(line).toContain('; needs ')
  }
})

test('every test that the catalogue names is there', () => {
  for (const file of namedTests()) expect(existsSync(fileURLToPath(new URL(file, root))), file).toBe(true)
})

test('every scenario is of a fault that the catalogue knows', () => {
  for (const number of scenarios.flatMap(({ faults }) => faults))
    expect(listCatalogue(number)).not.toContain('There is no')
})
