import { isMainThread } from 'node:worker_threads'
import { loadConfig } from './config/load.js'
import type { CeleriacOptions } from './config/options.js'
import { enableTypeScript } from './config/typescript.js'
import { createValues } from './job/codec.js'
// Tasks files load it in any case: by then each module may take its way through a loader for TypeScript.
import './plugin.js'
import { definitionOf } from './task/define.js'
import { fromPayloadText } from './task/payload.js'
import { traceOf } from './telemetry/tracing.js'
import type { ChildTask } from './worker/pool/child-attempt.js'
import type { ChildSetup } from './worker/pool/message.js'
import { openPort } from './worker/pool/port.js'
import { type ChildApp, serve } from './worker/pool/serve.js'

// The program of a pool's threads and processes: what the config file and the tasks files say, without the rest of the app.
serve(openPort(), !isMainThread, openChildApp)

async function openChildApp({ root, config }: ChildSetup): Promise<ChildApp> {
  const options = config === undefined ? {} : await loadOptions(config, root)
  const values = createValues(options.codec)
  const { tracing } = options
  let preparing: Promise<void> | undefined

  return {
    values,
    async prepare(path) {
      if (!/\.[cm]?ts$/.test(path)) return
      preparing ??= enableTypeScript(root)
      await preparing
    },
    toTask(name, task): ChildTask {
      const { run, retryOn, giveUpOn, backoff } = definitionOf(task)
      return {
        rules: { retryOn, giveUpOn, backoff: backoff?.type === 'function' ? backoff : undefined },
        parsePayload: (text) => fromPayloadText(name, task, text, values),
        run,
      }
    },
    inSpan:
      tracing &&
      ((job, work) => {
        const trace = traceOf(job.traceparent, job.context?.tracestate)
        return trace ? tracing.inside(trace, work) : work()
      }),
    onStart: async () => options.onWorkerStart?.(),
    onStop: async () => options.onWorkerStop?.(),
  }
}

/** A config file that calls `celeriac()` would open the web app in each child. */
function loadOptions(path: string, root: string): Promise<CeleriacOptions> {
  return loadConfig({ path, folder: root, isProduction: false })
}
