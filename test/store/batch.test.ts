import { describe, expect, test } from 'vitest'
import { createBatch } from '../../src/store/batch.js'
import { gate } from '../support/lab.js'

const late = new Error('late')
const lost = new Error('lost')

function open(run: (items: readonly number[]) => Promise<readonly number[]>, ms = 50) {
  return createBatch<number, number>({
    maxSize: 2,
    run,
    isRetryable: (error) => error === lost,
    isOutage: () => false,
    isDataError: () => false,
    patience: { ms, error: () => late },
  })
}

describe('patience', () => {
  test('ends for those in a statement that hangs, and for those who wait behind it', async () => {
    const hanging = gate()
    const ran: number[][] = []
    const batch = open(async (items) => {
      ran.push([...items])
      await hanging.passed
      return items
    })

    const answers = await Promise.allSettled([1, 2, 3, 4].map((item) => batch.add(item)))
    expect(answers.map((answer) => answer.status === 'rejected' && answer.reason)).toEqual(
      Array(4).fill(late),
    )

    hanging.open()
    expect(await batch.add(5)).toBe(5)
    expect(ran).toEqual([[1, 2], [5]])
  })

  test('is counted for each by itself', async () => {
    const hanging = gate()
    const batch = open(async (items) => {
      if (items.includes(1)) await hanging.passed
      return items
    }, 400)
    const first = batch.add(1).catch((error) => error)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const second = batch.add(2)

    expect(await first).toBe(late)
    hanging.open()

    expect(await second).toBe(2)
  })

  test('that has ended for all of a batch ends its retries', async () => {
    let tries = 0
    const batch = open(async () => {
      tries += 1
      await new Promise((resolve) => setTimeout(resolve, 80))
      throw lost
    })

    await expect(batch.add(1)).rejects.toBe(late)
    await new Promise((resolve) => setTimeout(resolve, 200))

    expect(tries).toBe(1)
  })
})

test('a lost connection is tried again while somebody waits', async () => {
  let tries = 0
  const batch = open(async (items) => {
    tries += 1
    if (tries < 3) throw lost
    return items
  }, 5000)

  expect(await batch.add(7)).toBe(7)
})
