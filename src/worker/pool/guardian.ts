import { Worker as Thread } from 'node:worker_threads'

/**
 * Ends a process of a pool when the worker that started it is gone: also one that never returns to its event loop, and
 * so hears of nothing. A thread of its own looks twice a second.
 */
export function endWithParent(parent: number): void {
  const thread = new Thread(source, {
    eval: true,
    workerData: parent,
    name: 'celeriac-guardian',
    execArgv: [],
    stdin: false,
  })
  thread.unref()
}

/** On Unix an orphan gets another parent; on Windows its parent's id belongs to nobody. */
const source = `
const { workerData: parent } = require('node:worker_threads')
setInterval(() => {
  if (!lives()) process.kill(process.pid, 'SIGKILL')
}, 500)
function lives() {
  if (process.platform !== 'win32') return process.ppid === parent
  try { return process.kill(parent, 0) } catch (error) { return error.code === 'EPERM' }
}
`
