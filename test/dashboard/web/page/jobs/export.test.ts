import { describe, expect, test } from 'vitest'
import { checkColumns } from '../../../../../src/control/export-columns.js'
import {
  createRowCounter,
  fileName,
  toExportColumns,
} from '../../../../../src/dashboard/web/page/jobs/export.js'

describe('the rows of an export', () => {
  test.each([
    ['csv', [], 0],
    ['csv', ['id,task\r\n'], 0],
    ['csv', ['id,task\r\na,b\r\n', 'c,', 'd\r', '\n'], 2],
    ['csv', ['id,error\r\na,"two\nli', 'nes, ""quoted""\n"\r\n'], 1],
    ['jsonl', ['{"a":"\\"\\n"}\n{"b":', '1}\n'], 2],
  ] as const)('of %s in %j are %i', (format, chunks, rows) => {
    const counter = createRowCounter(format)
    for (const chunk of chunks) counter.add(new TextEncoder().encode(chunk))
    expect(counter.rows).toBe(rows)
  })

  test('go to a file that is named by the time', () => {
    expect(fileName('csv', new Date('2026-11-29T14:03:07Z'))).toBe('jobs-2026-11-29-1403.csv')
  })
})

test('the columns of the list have names in a file, each of which the server knows', () => {
  const all = ['task', 'id', 'state', 'queue', 'owner', 'tags', 'attempts', 'priority', 'created', 'wait']
  const more = ['duration', 'finished', 'worker', 'progress', 'payload', 'outcome']
  const named = toExportColumns(new Set([...all, ...more]))

  expect(checkColumns(named.split(','))).toHaveLength(19)
  expect(toExportColumns(new Set(['outcome', 'task']))).toBe('task,result,errorName,errorMessage')
})
