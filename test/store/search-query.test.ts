import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseQuery } from '../../src/job/query/parse.js'
import type { QueryTree } from '../../src/job/query/query.js'
import { countStatement, lookStatement } from '../../src/store/search-sql.js'
import { tree } from '../job/query/trees.js'
import { jobRow } from '../support/job-row.js'
import { type OpenStore, openStore } from '../support/store.js'

let opened: OpenStore

beforeAll(async () => {
  opened = await openStore()
  return opened.close
})

function treeOf(query: string): QueryTree {
  const parsed = parseQuery(query)
  if ('fault' in parsed || !parsed.tree) throw new Error(`No query: ${query}`)
  return parsed.tree
}

const look = { size: 100, most: 10, from: undefined }

describe('whatever a query says', () => {
  const evil = `zq'"$1;--\\`
  const names = ['kind', 'field', 'in', 'is', 'state']

  /** The same query with other texts. */
  function poisoned(query: QueryTree): QueryTree {
    return JSON.parse(JSON.stringify(query), (key, value) =>
      typeof value === 'string' && !names.includes(key) && !/^[0-9a-f-]{36}$|^\d{4}-/.test(value)
        ? evil
        : value,
    )
  }

  test('no text of it becomes a part of a statement', () => {
    fc.assert(
      fc.property(
        tree.filter((each) => !JSON.stringify(each).includes('"state"')),
        (query) => {
          const { text } = lookStatement({ query: poisoned(query) }, { sort: 'newest' }, look)

          expect(text).not.toContain('zq')
        },
      ),
      { numRuns: 300 },
    )
  })

  test('PostgreSQL can answer it', async () => {
    await opened.store.insert([jobRow({ payload: '{"code":["x",{"message":"y"}]}' })])
    await fc.assert(
      fc.asyncProperty(tree, async (query) => {
        const { rows } = await opened.client.query(countStatement({ query }, look))

        expect(rows).toHaveLength(1)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a row that PostgreSQL cannot read as JSON fails no search', () => {
  const documents: readonly (readonly [what: string, payload: string, isFound: boolean])[] = [
    ['NUL', '{"a":"x\\u0000y","b":1}', true],
    ['half a pair', '{"a":"\\ud800","b":1}', true],
    ['a number without bounds', '{"a":1e999999,"b":1}', false],
    ['lists within lists', `${'['.repeat(100_000)}{"b":1}${']'.repeat(100_000)}`, false],
    ['text that is no JSON', '{"b":1', false],
  ]

  test.each(documents)('%s', async (_, payload, isFound) => {
    const { store } = opened
    const job = jobRow({ payload, task: `test.${_}` })
    await store.insert([job])

    const { ids } = await store.searchIds(
      { tasks: [job.task], query: treeOf('payload.b:1') },
      { limit: 10, sort: 'newest' },
    )
    expect(ids).toEqual(isFound ? [job.id] : [])
  })
})
