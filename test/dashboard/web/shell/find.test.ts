import { expect, test } from 'vitest'
import { find } from '../../../../src/dashboard/web/shell/find.js'

const names = {
  tasks: ['mail.send', 'mail.listen', 'reports.buildReport'],
  queues: ['mail', 'default', 'a/b?c'],
  workers: ['mail@one'],
}
const pages = [
  { name: 'Workers', to: '/workers' },
  { name: 'Queues', to: '/queues' },
]
const namesOf = (text: string) => find(text, names, pages).map(({ kind, name }) => `${kind} ${name}`)

test('nothing leads nowhere', () => {
  expect(find('  ', names, pages)).toEqual([])
})

test('an id leads to its job, however it is written', () => {
  const to = '/jobs/0199c0de-1234-7abc-8def-0123456789ab'

  expect(find(' 0199C0DE-1234-7abc-8def-0123456789ab ', names, pages)).toEqual([
    expect.objectContaining({ kind: 'job', to }),
  ])
})

test.each([
  ['mail', ['queue mail', 'task mail.send', 'task mail.listen', 'worker mail@one', 'search mail']],
  ['BUILD', ['task reports.buildReport', 'search BUILD']],
  ['work', ['page Workers', 'search work']],
  ['state:failed task:mail.*', ['search state:failed task:mail.*']],
])('%s leads to what has that name first, and to the jobs that match at last', (text, found) => {
  expect(namesOf(text)).toEqual(found)
})

test('what stands in a name stands in its address', () => {
  expect(find('a/b', names, pages)[0]?.to).toBe('/queues/a%2Fb%3Fc')
  expect(find('"timed out"', names, pages)[0]?.to).toBe('/jobs?query=%22timed+out%22')
})

test('of many names only the likeliest are told', () => {
  const many = { ...names, tasks: Array.from({ length: 100 }, (_, at) => `bulk.task${at}`) }

  expect(find('task', many, pages)).toHaveLength(9)
})
