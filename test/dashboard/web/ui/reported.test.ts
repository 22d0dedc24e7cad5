import { expect, test } from 'vitest'
import { percentOf, tellProgress } from '../../../../src/dashboard/web/ui/reported.js'

test.each([
  [undefined, undefined, undefined],
  [null, undefined, undefined],
  [40, 40, '40'],
  [{ percent: 40, note: 'rows read' }, 40, 'rows read'],
  [{ done: 3, total: 12 }, 25, '{"done":3,"total":12}'],
  [{ current: 12, total: 10 }, 100, '{"current":12,"total":10}'],
  [{ done: 3, total: 0 }, undefined, '{"done":3,"total":0}'],
  [{ percent: 'half' }, undefined, '{"percent":"half"}'],
  ['half way', undefined, 'half way'],
  ['{"percent":7}', 7, '{"percent":7}'],
  [{ percent: -5 }, 0, '{"percent":-5}'],
])('of the progress %j a bar shows %s, and words say %s', (progress, percent, told) => {
  expect(percentOf(progress)).toBe(percent)
  expect(tellProgress(progress)).toBe(told)
})
