import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^celeriac$/, replacement: at('src/index.ts') },
      { find: /^celeriac\/testing$/, replacement: at('src/testing/index.ts') },
      { find: /^celeriac\/opentelemetry$/, replacement: at('src/opentelemetry/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/fixtures/**', '**/node_modules/**'],
    reporters: ['default', './test/support/closing-line.ts'],
    globalSetup: 'test/support/setup.ts',
    pool: 'forks',
    maxWorkers: 3,
    // How long a busy machine may take for what takes a second here: bounds against what hangs, not figures of speed.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    // Most tests run real servers and processes, several at a time, and wait for them in real time. One that fails is
    // run once more, and the end of the output names it: it is to be looked at, but a busy machine fails nobody.
    retry: 1,
  },
})
