import { mkdirSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { dirname } from 'node:path'

export interface Question {
  readonly id: number
  readonly operation: string
  readonly args: readonly unknown[]
}

export interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** What a contender can be asked to do. */
export type Calls = object & { readonly [Name in string]: (...args: never[]) => Promise<unknown> }

/** The settings that the contender was started with. */
export function readSettings<Settings>(): Settings {
  return JSON.parse(process.argv[2] ?? '{}') as Settings
}

/** Answers what the bench asks, and ends when the bench goes. */
export function answer(operations: Calls): void {
  const known: Record<string, (...args: never[]) => Promise<unknown>> = {
    ...operations,
    ...createProfiler(),
    memory: async () => process.memoryUsage(),
  }
  process.on('message', ({ id, operation, args }: Question) => {
    Promise.resolve(known[operation]?.(...(args as never[]))).then(
      (value) => send({ id, value }),
      (error: unknown) => send({ id, error: error instanceof Error ? String(error.stack) : String(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
  send({ id: 0 })
}

function send(message: Answer): void {
  process.send?.(message)
}

function createProfiler() {
  const session = new Session()

  return {
    async startProfile() {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.start')
    },
    async stopProfile(file: string) {
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, JSON.stringify(profile))
    },
  }
}
