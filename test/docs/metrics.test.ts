import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { clusterFamilies, type Family, workerFamilies } from '../../src/telemetry/metrics/family.js'

const families: Readonly<Record<string, Family>> = { ...clusterFamilies, ...workerFamilies }
const read = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8')

test('docs/metrics.md has a line for each metric, with its type, labels and help', () => {
  const text = read('metrics.md')
  const lines = Object.entries(families).map(
    ([name, { type, labels, help }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  )

  expect(lines.filter((line) => !text.includes(line))).toEqual([])
  expect(namesIn(text).filter((name) => !(name in families))).toEqual([])
})

const expressions: Readonly<Record<string, readonly string[]>> = {
  'alerts.yml': [...read('alerts.yml').matchAll(/expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/g)].map(
    ([, block, one]) => block ?? one ?? '',
  ),
  'grafana/celeriac.json': [...read('grafana/celeriac.json').matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(
    ([, text = '""']) => JSON.parse(text) as string,
  ),
}

describe.each(Object.entries(expressions))('docs/%s', (_, found) => {
  test('asks for something', () => {
    expect(found.length).toBeGreaterThan(8)
  })

  test.each(found)('%s names metrics and labels that exist', (expression) => {
    const names = namesIn(expression)
    expect(names.length).toBeGreaterThan(0)
    expect(names.filter((name) => !familyOf(name))).toEqual([])
    for (const [, name = '', labels] of expression.matchAll(/(celeriac_\w+)(?:\{([^}]*)\})?/g))
      expect(labelsIn(labels ?? '').filter((label) => !labelsOf(name).includes(label))).toEqual([])
    const known = names.flatMap(labelsOf)
    const grouped = [...expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) =>
      list.split(', '),
    )
    expect(grouped.filter((label) => !known.includes(label))).toEqual([])
  })
})

test('variables of the Grafana dashboard are labels that exist', () => {
  const variables = [...read('grafana/celeriac.json').matchAll(/label_values\((\w+), (\w+)\)/g)]

  expect(variables.length).toBeGreaterThan(0)
  expect(variables.filter(([, name = '', label = '']) => !labelsOf(name).includes(label))).toEqual([])
})

test('what alerts say of their labels stands in the labels of their expressions', () => {
  const rules = read('alerts.yml').split('- alert: ').slice(1)
  for (const rule of rules)
    for (const [, label = ''] of rule.matchAll(/\$labels\.(\w+)/g)) expect(rule).toMatch(`by (${label})`)
})

function namesIn(text: string): string[] {
  return [...text.matchAll(/\bceleriac_\w+/g)].map(([name]) => name)
}

/** A histogram is asked by its parts. */
function familyOf(name: string): Family | undefined {
  const whole = families[name.replace(/_(bucket|sum|count)$/, '')]
  return whole?.type === 'histogram' ? (name in families ? undefined : whole) : families[name]
}

function labelsOf(name: string): readonly string[] {
  return [...(familyOf(name)?.labels ?? []), ...(name.endsWith('_bucket') ? ['le'] : [])]
}

function labelsIn(text: string): string[] {
  return [...text.matchAll(/(\w+)\s*[=!]~?"/g)].map(([, label = '']) => label)
}
