import { describe, expect, test } from 'vitest'
import { stepFor, toPieces, toSteps } from '../../src/job/resolution.js'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const now = new Date('2026-11-29T14:23:45.678Z')
const ago = (ms: number) => new Date(now.getTime() - ms)

describe('the step of a chart', () => {
  test.each([
    ['15 minutes', 15 * minute, minute],
    ['an hour', hour, minute],
    ['6 hours', 6 * hour, 5 * minute],
    ['a day', day, 15 * minute],
    ['two days', 2 * day, 30 * minute],
    ['a week', 7 * day, 2 * hour],
    ['a month', 30 * day, 12 * hour],
    ['a quarter', 90 * day, day],
    ['a year', 365 * day, 7 * day],
    ['ten years', 3650 * day, 7 * day],
  ])('over %s', (_, range, step) => {
    expect(stepFor(range)).toBe(step)
  })

  test('is an hour or more where minutes are gone, and a day where hours are', () => {
    expect(stepFor(hour, 3 * day)).toBe(hour)
    expect(stepFor(hour, 40 * day)).toBe(day)
  })

  test('of every range can be asked for', () => {
    for (const range of [15 * minute, hour, 6 * hour, day, 2 * day, 7 * day, 30 * day, 90 * day, 400 * day])
      expect(() => toSteps({ from: ago(range), to: now, stepMs: stepFor(range) }, now)).not.toThrow()
  })
})

describe('steps', () => {
  test('begin at whole ones, and hold the whole range', () => {
    expect(toSteps({ from: ago(hour), to: now, stepMs: 5 * minute }, now)).toEqual({
      from: new Date('2026-11-29T13:20:00Z'),
      stepMs: 5 * minute,
      count: 13,
      resolution: 1,
    })
    expect(toSteps({ from: ago(7 * day), to: now, stepMs: 2 * hour }, now)).toMatchObject({
      from: new Date('2026-11-22T14:00:00Z'),
      resolution: 60,
    })
    expect(toSteps({ from: ago(90 * day), to: now, stepMs: day }, now).resolution).toBe(1440)
  })

  test.each([
    ['of part of a minute', ago(hour), now, 1000, /whole minutes.*1000 ms/],
    ['of no time', ago(hour), now, 0, /whole minutes/],
    ['back', now, ago(hour), minute, /1 to 2000 steps/],
    ['without number', ago(2 * day), now, minute, /1 to 2000 steps/],
    ['finer than what is kept', ago(3 * day), ago(3 * day - hour), minute, /step of 60 minutes or more/],
    [
      'finer than what is kept of old times',
      ago(60 * day),
      ago(59 * day),
      hour,
      /step of 1440 minutes or more/,
    ],
  ])('%s are refused', (_, from, to, stepMs, message) => {
    expect(() => toSteps({ from, to, stepMs }, now)).toThrow(message)
  })
})

describe('a range', () => {
  const pieces = (from: Date, to: Date) =>
    toPieces({ from, to }, now).map((piece) => [
      piece.resolution,
      piece.from.toISOString().slice(5, 16),
      piece.to.toISOString().slice(5, 16),
    ])

  test('that is short is read by the minute, and by the hours in it', () => {
    expect(pieces(ago(15 * minute), now)).toEqual([[1, '11-29T14:08', '11-29T14:24']])
    expect(pieces(ago(2 * hour), now)).toEqual([
      [1, '11-29T12:23', '11-29T13:00'],
      [60, '11-29T13:00', '11-29T14:00'],
      [1, '11-29T14:00', '11-29T14:24'],
    ])
  })

  test('that is long is read by hours and days', () => {
    expect(pieces(ago(day), now)).toEqual([[60, '11-28T14:00', '11-29T15:00']])
    expect(pieces(ago(7 * day), now)).toEqual([
      [60, '11-22T14:00', '11-23T00:00'],
      [1440, '11-23T00:00', '11-29T00:00'],
      [60, '11-29T00:00', '11-29T15:00'],
    ])
  })

  test('of long ago is read by what is left', () => {
    expect(pieces(ago(3 * day), ago(3 * day - hour))).toEqual([[60, '11-26T14:00', '11-26T16:00']])
    expect(pieces(ago(60 * day), ago(59 * day))).toEqual([[1440, '09-30T00:00', '10-02T00:00']])
  })
})
