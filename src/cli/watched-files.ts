import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findTasksFiles, type TasksFileSearch } from '../task/tasks-file.js'

/** The files that a worker was made of, and whether they are still what they were. */
export interface WatchedFiles {
  readonly size: number
  /** Packages are left out, and what is no file. */
  add(files: readonly unknown[]): void
  /** Where tasks files may appear. */
  search(search: TasksFileSearch): void
  /** From now on this is how they are. */
  remember(): void
  /** Those that have changed, gone or come since then. */
  changed(): Promise<string[]>
}

/**
 * Looks at times and sizes, now and then: some hundred files cost next to nothing, and it works with every editor, and
 * where file systems tell nobody of changes, as the folders of a host in a container.
 */
export function createWatchedFiles(): WatchedFiles {
  const known = new Map<string, string>()
  let where: TasksFileSearch | undefined

  return {
    get size() {
      return known.size
    },
    add(files) {
      for (const file of files.flatMap(toPath)) if (!known.has(file)) known.set(file, markOf(file))
    },
    search(search) {
      where = search
    },
    remember() {
      for (const file of known.keys()) known.set(file, markOf(file))
    },
    async changed() {
      const changed = [...known].filter(([file, mark]) => markOf(file) !== mark).map(([file]) => file)
      return [...changed, ...(await newTasksFiles())]
    },
  }

  async function newTasksFiles(): Promise<string[]> {
    if (!where) return []
    // A pattern that matches nothing any more: its files have gone, and are told of as changed.
    const found = await findTasksFiles(where).catch(() => [])
    return found.map(({ path }) => path).filter((path) => !known.has(path))
  }
}

/** Celeriac itself, also where it is linked to. */
const own = fileURLToPath(new URL('..', import.meta.url))

/** Paths, or URLs of `file:`, which may have a query. */
function toPath(file: unknown): string[] {
  if (typeof file !== 'string' || file.startsWith('node:')) return []
  const [bare = ''] = file.split(/[?#]/, 1)
  const path = bare.startsWith('file:') ? fileURLToPath(bare) : bare
  const isFile = /^(\/|[a-zA-Z]:\\)/.test(path)
  return isFile && !path.startsWith(own) && !/[\\/]node_modules[\\/]/.test(path) ? [path] : []
}

function markOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false })
  return found ? `${found.mtimeMs} ${found.size} ${found.ino}` : 'gone'
}
