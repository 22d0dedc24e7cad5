import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startTimer, within } from '../src/waiting.js'

const day = 86_400_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a timer of a hundred days fires after a hundred days, and not at once', () => {
  const fire = vi.fn()
  startTimer(100 * day, fire)

  vi.advanceTimersByTime(100 * day - 1)
  expect(fire).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(fire).toHaveBeenCalledOnce()
})

test('one that is cancelled after its first part does not fire', () => {
  const fire = vi.fn()
  const timer = startTimer(100 * day, fire)

  vi.advanceTimersByTime(50 * day)
  timer.cancel()
  vi.advanceTimersByTime(100 * day)

  expect(fire).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})

test('waiting with a limit ends with the work, or at the limit, and leaves no timer', async () => {
  await within(day, Promise.resolve())
  expect(vi.getTimerCount()).toBe(0)

  const late = within(40 * day, new Promise(() => {}))
  await vi.advanceTimersByTimeAsync(40 * day)
  await late
  expect(vi.getTimerCount()).toBe(0)
})
