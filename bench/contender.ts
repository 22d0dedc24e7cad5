import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compiledFolder } from './compile.js'
import type { Answer, Calls, Question } from './contender/answer.js'

export interface Profiled {
  startProfile(): Promise<void>
  /** Writes `bench/profiles/<name>.cpuprofile`. */
  stopProfile(name: string): Promise<void>
}

/** A contender in a process of its own, so that none disturbs another's memory. */
export interface Contender<Operations extends Calls> extends Profiled {
  ask<Name extends keyof Operations & string>(
    operation: Name,
    ...args: Parameters<Operations[Name]>
  ): Promise<Awaited<ReturnType<Operations[Name]>>>
  /** What the process occupies now. */
  memory(): Promise<NodeJS.MemoryUsage>
  /** Ends it as `kill -9` does. */
  kill(): void
  close(): Promise<void>
}

/** Starts `contender/<program>.ts` with its settings, of this checkout or of one whose compiled folder is given. */
export async function startContender<Operations extends Calls>(
  program: string,
  settings: object,
  folder = compiledFolder,
): Promise<Contender<Operations>> {
  const child = fork(join(folder, `${program}.js`), [JSON.stringify(settings)], {
    execArgv: [],
    env: plainEnvironment(),
    serialization: 'advanced',
  })
  const questions = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let last = 0
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const ready = new Promise<void>((resolve, reject) => {
    questions.set(0, { resolve: () => resolve(), reject })
  })
  child.on('message', (answer: Answer) => {
    const question = questions.get(answer.id)
    questions.delete(answer.id)
    if (answer.error === undefined) question?.resolve(answer.value)
    else question?.reject(new Error(`${program}: ${answer.error}`))
  })
  void exited.then(() => {
    for (const { reject } of questions.values()) reject(new Error(`${program} ended before it answered.`))
  })
  await ready

  const ask = (operation: string, ...args: readonly unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      last += 1
      questions.set(last, { resolve, reject })
      child.send({ id: last, operation, args } satisfies Question)
    })

  return {
    ask: ask as Contender<Operations>['ask'],
    memory: () => ask('memory') as Promise<NodeJS.MemoryUsage>,
    async startProfile() {
      await ask('startProfile')
    },
    async stopProfile(name) {
      await ask('stopProfile', fileURLToPath(new URL(`profiles/${name}.cpuprofile`, import.meta.url)))
    },
    kill: () => void child.kill('SIGKILL'),
    async close() {
      if (child.connected) child.disconnect()
      const insist = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(insist)
    },
  }
}

/** As in production, and with no server named: the contenders are told theirs. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const named = /^(CELERIAC_|REDIS_URL$|DATABASE_URL$|DIRECT_URL$|NODE_OPTIONS$|TSX_|NODE_ENV$)/
  const kept = Object.entries(process.env).filter(([name]) => !named.test(name))
  return { ...Object.fromEntries(kept), NODE_ENV: 'production' }
}
