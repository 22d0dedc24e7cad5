import { join } from 'node:path'
import type { Limits } from './checker/check.js'
import { printVerdict, type Verdict } from './checker/verdict.js'
import type { Random } from './random.js'
import { openScene, type Scene, type SceneOptions } from './scene.js'
import { type BrokerKind, type FaultServers, startFaultServers } from './servers.js'

/** One fault of the catalogue, injected on purpose, and what must hold. */
export interface Scenario {
  /** As the catalogue numbers them. */
  readonly faults: readonly string[]
  readonly title: string
  /** Default: both. */
  readonly brokers?: readonly BrokerKind[]
  /** Left out of the short run: it takes longer than a CI run has. */
  readonly long?: true
  /** What is missing on this machine. Then it is skipped, by name. */
  missing?(): string | undefined
  /** @throws what does not hold */
  run(stage: Stage): Promise<void>
}

/** What a scenario may use. Whatever it opens is closed after it. */
export interface Stage {
  readonly broker: BrokerKind
  readonly random: Random
  /** The part of a long list that is to be tried: a tenth in the short run, else all. */
  readonly share: number
  /** For files of its own. */
  readonly folder: string
  readonly code: string
  /** Adds to the counts that are printed. */
  count(name: string, count: number): void
  say(line: string): void
  /** Of all scenarios: they must only be used, not harmed. */
  readonly shared: FaultServers
  /** Servers of its own, for anything. */
  servers(options?: { readonly durable?: boolean }): Promise<FaultServers>
  open(options?: OpenOptions): Promise<Scene>
}

export interface OpenOptions extends Partial<Omit<SceneOptions, 'ground' | 'code' | 'folder' | 'random'>> {
  /** Default: the shared ones. */
  readonly servers?: FaultServers
  readonly limits?: Partial<Limits>
}

export interface StageOptions {
  readonly name: string
  readonly broker: BrokerKind
  readonly random: Random
  readonly shared: FaultServers
  readonly folder: string
  readonly code: string
  readonly template: string
  readonly share: number
  readonly say: (line: string) => void
}

/** Short leases, so that a fault is over in seconds. */
export const quickLeases = { lease: '5s', heartbeat: '1s' } as const

/** Runs one scenario, and has the checker judge every app that it opened. */
export async function runScenario(scenario: Scenario, options: StageOptions): Promise<Verdict[]> {
  const { name, folder, code, template, broker, random, shared } = options
  const scenes: { readonly scene: Scene; readonly limits: Partial<Limits> }[] = []
  const servers: FaultServers[] = []
  const counts: Record<string, number> = {}
  const stage: Stage = {
    ...options,
    count(what, count) {
      counts[what] = (counts[what] ?? 0) + count
    },
    async servers(how = {}) {
      const own = await startFaultServers({
        ...how,
        broker,
        template,
        folder: join(folder, `servers-${servers.length}`),
      })
      servers.push(own)
      return own
    },
    async open({ servers: own = shared, limits = {}, ...how } = {}) {
      const scene = await openScene({
        celeriac: quickLeases,
        ...how,
        code,
        random,
        ground: await own.ground(`${name}_${scenes.length}`),
        folder: join(folder, `app-${scenes.length}`),
      })
      scenes.push({ scene, limits })
      return scene
    },
  }
  try {
    await scenario.run(stage)
    const verdicts: Verdict[] = [{ counts, violations: [] }]
    for (const { scene, limits } of scenes) verdicts.push(sound(await scene.verdict(limits)))
    return verdicts
  } finally {
    await Promise.allSettled(scenes.map(({ scene }) => scene.close()))
    await Promise.allSettled(servers.map((own) => own.stop()))
  }
}

export class ViolationError extends Error {
  override readonly name = 'ViolationError'
}

function sound(verdict: Verdict): Verdict {
  if (verdict.violations.length > 0) throw new ViolationError(printVerdict(verdict))
  return verdict
}

/** @throws {ViolationError} with `otherwise`, unless it holds */
export function must(holds: unknown, otherwise: string): asserts holds {
  if (!holds) throw new ViolationError(otherwise)
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Waits until it holds. */
export async function eventually(
  holds: () => unknown | Promise<unknown>,
  otherwise: string,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new ViolationError(`${otherwise} (within ${withinMs} ms)`)
    await sleep(100)
  }
}
