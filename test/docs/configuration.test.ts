import { describe, expect, test } from 'vitest'
import { toMs } from '../../src/job/duration.js'
import { codeIn, rowsIn, section } from './markdown.js'
import { defaults, readEnvironmentNames, refusedBy } from './options.js'

const page = 'docs/configuration.md'

describe('docs/configuration.md names every option, and no other', () => {
  test('of the configuration', () => {
    const headings = ['Where tasks are', 'Servers', 'HTTP', 'Jobs', 'Workers']
    const documented = headings.flatMap((heading) => namesIn(section(page, heading)))

    expect(documented.sort()).toEqual(refusedBy('celeriac').sort())
  })

  test('of the worker', () => {
    expect(namesIn(section(page, 'Options of worker')).sort()).toEqual(refusedBy('worker').sort())
  })

  test.each(['dashboard', 'dashboard.oidc'] as const)('of %s', (part) => {
    expect(namesIn(section(page, `Options of ${part}`)).sort()).toEqual(refusedBy(part).sort())
  })

  test('of a task', () => {
    expect(namesIn(section(page, 'Options of a task')).sort()).toEqual(refusedBy('defineTask').sort())
  })

  test('of enqueue', () => {
    expect(namesIn(section(page, 'Options of enqueue')).sort()).toEqual(refusedBy('enqueue').sort())
  })

  test('of the environment', () => {
    expect(namesIn(section(page, 'Environment')).sort()).toEqual(readEnvironmentNames().sort())
  })
})

describe('its defaults are those of the code', () => {
  test.each(Object.entries(defaults))('%s', (name, value) => {
    const row = rowsIn(section(page, 'Options')).find((cells) => codeIn(cells[0])[0] === name)
    const [text = ''] = codeIn(row?.[1])

    expect(typeof value === 'number' ? toNumber(text) : text).toBe(
      typeof value === 'number' ? value : `'${value}'`,
    )
  })
})

function namesIn(text: string): string[] {
  return rowsIn(text).flatMap((cells) => codeIn(cells[0]).slice(0, 1))
}

function toNumber(text: string): number | undefined {
  const quoted = /^'(.+)'$/.exec(text)?.[1]
  return quoted === undefined ? Number(text.replaceAll('_', '')) : toMs(quoted)
}
