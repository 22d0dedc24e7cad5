import { type BrokerKind, freshServers } from '../../support/lab.js'
import { openViewer, type Viewer } from './browser.js'
import { type Filled, openShowroom, type Showroom, type ShowroomOptions } from './showroom.js'

/** All that a test file of pages needs: an app with jobs on real servers, and somebody who looks at its dashboard. */
export interface Stage {
  readonly room: Showroom
  readonly filled: Filled
  readonly viewer: Viewer
  close(): Promise<void>
}

interface StageOptions extends Partial<ShowroomOptions> {
  /** Default `redis`. */
  readonly broker?: BrokerKind
}

/** Takes half a minute: once a file, in `beforeAll`. */
export async function openStage({ broker: kind = 'redis', ...options }: StageOptions = {}): Promise<Stage> {
  const ends: (() => void)[] = []
  const authorize = () => ({ name: 'ann@example.com', role: 'admin' as const })
  const room = await openShowroom(await freshServers(kind), {
    authorize,
    onEnd: (end) => ends.push(end),
    ...options,
  })
  const [filled, viewer] = await Promise.all([room.fill(), openViewer(room.dashboard)])
  return {
    room,
    filled,
    viewer,
    async close() {
      await viewer.close()
      for (const end of ends) end()
      await room.close()
    },
  }
}
