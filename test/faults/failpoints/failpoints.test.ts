import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Armed, listFailpoints, prepareFailpoints, readPassed } from './failpoints.js'
import { newFolder, run, writeSample } from './sample.js'

function prepareSample(source?: string) {
  const folder = newFolder()
  const dist = writeSample(folder, source)
  const failpoints = prepareFailpoints({ dist, folder: join(folder, 'changed'), parts: ['sample.js'] })
  return { folder, failpoints, file: join(dist, 'sample.js') }
}

const [first, last] = ['fetch one', 'line']

test('without an armed point, everything happens as it does without failpoints', async () => {
  const { folder, failpoints, file } = prepareSample()
  const record = join(folder, 'record')

  const plain = await run(file)
  const changed = await run(file, failpoints.start({ record }))

  expect(plain).toMatchObject({ how: 0, errors: '' })
  expect([plain.output[0], plain.output.at(-1)]).toEqual([first, expect.stringContaining(last)])
  expect(changed).toEqual(plain)
})

test('every point that is passed is recorded, with how often', async () => {
  const { folder, failpoints, file } = prepareSample()
  const record = join(folder, 'record')

  await run(file, failpoints.start({ record }))

  const passed = readPassed(record)
  expect(new Set(passed.map(({ point }) => point))).toEqual(new Set(failpoints.list.map(({ name }) => name)))
  expect(passed.some(({ fired }) => fired)).toBe(false)
  const timesOf = (point: string, when: string) =>
    passed.find((side) => side.point === `sample:${point}` && side.when === when)?.passes
  expect(timesOf('loop#1', 'before')).toBe(2)
  expect(timesOf('loop#1', 'after')).toBe(2)
  expect(timesOf('Crew.#fetch#1', 'after')).toBe(2)
  // It rejects, so that nothing comes after it.
  expect(timesOf('guarded#2', 'before')).toBe(1)
  expect(timesOf('guarded#2', 'after')).toBeUndefined()
})

describe('a killed process', () => {
  const kills: [Armed, string][] = [
    [{ point: 'sample:Crew.#fetch#1', when: 'before' }, ''],
    [{ point: 'sample:Crew.#fetch#1', when: 'after' }, 'fetch one'],
    [{ point: 'sample:Crew.#fetch#1', when: 'before', pass: 2 }, 'fetch one'],
    [{ point: 'sample:Crew.go#2', when: 'after' }, 'fetch two'],
    [{ point: 'sample:loop#1', when: 'before', pass: 3 }, 'loop 1'],
    [{ point: 'sample:loop#1', when: 'after', pass: 3 }, 'loop 2'],
    [{ point: 'sample:letters#1', when: 'after', pass: 2 }, 'letter b'],
    [{ point: 'sample:steps#1', when: 'before', pass: 2 }, 'letter a'],
    [{ point: 'sample:steps#1', when: 'after', pass: 2 }, 'letter b'],
    [{ point: 'sample:steps#2', when: 'after', pass: 2 }, 'value p'],
    [{ point: 'sample:guarded#2', when: 'before' }, 'try'],
    [{ point: 'sample:guarded#3', when: 'after' }, ' caught'],
    [{ point: 'sample:guarded#4', when: 'before' }, 'inside caught'],
    [{ point: 'sample:module#9', when: 'after' }, 'twice'],
  ]

  test.each(kills)('%o leaves %j last', async (armed, lastWords) => {
    const { folder, failpoints, file } = prepareSample()
    const record = join(folder, 'record')

    const { output, how, errors } = await run(file, failpoints.start({ armed: [armed], record }))

    expect(how).toBe('SIGKILL')
    expect(output.at(-1) ?? '').toBe(lastWords)
    expect(errors).toBe(`Failpoint ${armed.point}:${armed.when}: kill\n`)
    expect(readPassed(record).filter(({ fired }) => fired)).toMatchObject([
      { point: armed.point, when: armed.when },
    ])
  })

  test('is killed at every side of every point that it passes', async () => {
    const { folder, failpoints, file } = prepareSample(
      `${'const f = async () => { await 1; for await (const x of [2]) await x }\n'}await f()\n`,
    )
    const record = join(folder, 'record')
    await run(file, failpoints.start({ record }))

    const sides = readPassed(record)
    const ends = await Promise.all(
      sides.map(({ point, when }) => run(file, failpoints.start({ armed: [{ point, when }] }))),
    )

    expect(sides).toHaveLength(8)
    expect(ends.map(({ how }) => how)).toEqual(sides.map(() => 'SIGKILL'))
  })
})

test('a point that throws does so where the await stands', async () => {
  const { failpoints, file } = prepareSample()
  const action = 'throw' as const

  const before = { point: 'sample:guarded#1', when: 'before', action } as const
  const thrown = await run(file, failpoints.start({ armed: [before] }))
  expect(thrown.how).toBe(0)
  expect(thrown.output).not.toContain('try')
  expect(thrown.output).toContain('Failpoint sample:guarded#1:before caught')

  const after = await run(file, failpoints.start({ armed: [{ ...before, when: 'after' }] }))
  expect(after.output).toContain('try')
  expect(after.output).not.toContain('inside caught')
  expect(after.output).toContain('Failpoint sample:guarded#1:after caught')
})

test.each(['before', 'after'] as const)('a pause %s an await holds that flow, and no other', async (when) => {
  const { failpoints, file } = prepareSample(`
    const said = []
    const flow = async (name) => { said.push(name + 1); await Promise.resolve(said.push(name + 2)); said.push(name + 3) }
    await Promise.all([flow('held '), new Promise((resolve) => setTimeout(resolve, 5)).then(() => flow('free '))])
    console.log(said.join('\\n'))`)

  const armed = { point: 'sample:flow#1', when, action: { pauseMs: 500 } } as const
  const { output, how } = await run(file, failpoints.start({ armed: [armed] }))

  expect(how).toBe(0)
  const held = when === 'before' ? ['held 2', 'held 3'] : ['held 3']
  expect(output.slice(-held.length)).toEqual(held)
  expect(output.slice(-held.length - 1)[0]).toBe('free 3')
})

test('several points are armed by hand, each for a passing of its own', async () => {
  const { failpoints, file } = prepareSample()
  const { nodeArgs, env } = failpoints.start()

  const text = 'sample:loop#1:after@2=pause:1,sample:guarded#1:before=throw,sample:module#9:after'
  const { output, how, errors } = await run(file, { nodeArgs, env: { ...env, CELERIAC_FAILPOINT: text } })

  expect(how).toBe('SIGKILL')
  expect(output.at(-1)).toBe('twice')
  expect(errors.split('\n').slice(0, -1)).toEqual([
    'Failpoint sample:loop#1:after: pause:1',
    'Failpoint sample:guarded#1:before: throw',
    'Failpoint sample:module#9:after: kill',
  ])
})

describe('an experiment that could do nothing is refused', () => {
  test('a point that does not exist', () => {
    const { failpoints } = prepareSample()

    expect(() => failpoints.start({ armed: [{ point: 'sample:gone#1', when: 'after' }] })).toThrow(
      'There is no failpoint sample:gone#1.',
    )
  })

  test('a text that says nothing', async () => {
    const { failpoints, file } = prepareSample()
    const { nodeArgs, env } = failpoints.start()

    const { how, errors } = await run(file, {
      nodeArgs,
      env: { ...env, CELERIAC_FAILPOINT: 'sample:loop#1' },
    })

    expect(how).toBe(1)
    expect(errors).toContain('Not a failpoint: sample:loop#1')
  })

  test('files that were built anew', async () => {
    const { failpoints, file } = prepareSample()
    writeFileSync(file, 'console.log(1)')

    const { how, errors } = await run(file, failpoints.start())

    expect(how).toBe(1)
    expect(errors).toContain('was built anew since its failpoints were prepared')
  })

  test('a part that is not there', () => {
    expect(() => listFailpoints({ parts: ['enqueued'] })).toThrow(/has no enqueued/)
  })
})
