import { expect, test } from 'vitest'
import { createSilence } from '../../src/store/silence.js'
import { gate } from '../support/lab.js'
import { until } from '../support/until.js'

const suspicion = new Error('no answer within 5000 ms')
const silent = () => Promise.reject(new Error('silent'))
const isSilent = (error: unknown) => error instanceof Error && error.message === 'silent'

test('a server that answers a probe is not silent, whatever it was suspected for', async () => {
  const asked = gate()
  const silence = createSilence({ probe: () => asked.passed, isSilent })

  silence.suspect(suspicion)
  expect(silence.error).toBeUndefined()
  asked.open()
  await asked.passed

  expect(silence.error).toBeUndefined()
})

test.each([
  ['answers', async () => {}],
  ['refuses', () => Promise.reject(new Error('too many clients'))],
])('a silence lasts until the server %s, and may begin again', async (_what, answer) => {
  let probe: () => Promise<void> = silent
  const silence = createSilence({ probe: () => probe(), isSilent })

  for (let round = 0; round < 2; round += 1) {
    probe = silent
    silence.suspect(suspicion)
    await until(() => silence.error === suspicion)
    probe = answer
    await until(() => silence.error === undefined)
  }
})

test('however many suspect it, one probe is under way', async () => {
  let probes = 0
  const asked = gate()
  const silence = createSilence({
    async probe() {
      probes += 1
      await asked.passed
    },
    isSilent,
  })

  for (let n = 0; n < 10; n += 1) silence.suspect(suspicion)

  expect(probes).toBe(1)
  asked.open()
})

test('a closed one asks nothing more', async () => {
  let probes = 0
  const silence = createSilence({
    probe() {
      probes += 1
      return silent()
    },
    isSilent,
  })
  silence.suspect(suspicion)
  silence.close()
  silence.suspect(suspicion)
  await new Promise((resolve) => setTimeout(resolve, 600))

  expect(probes).toBe(1)
  expect(silence.error).toBeUndefined()
})
