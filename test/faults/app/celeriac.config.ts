import { type CeleriacOptions, defineConfig } from 'celeriac'

/** A run may shorten the leases; the default ones are what a long run measures. */
const changed = JSON.parse(process.env.FAULTS_OPTIONS ?? '{}') as CeleriacOptions

/** Hooks as nobody should write them. */
const badHooks: CeleriacOptions = {
  onWorkerStart: () => new Promise((resolve) => setTimeout(resolve, 1500)),
  onWorkerStop() {
    throw new Error('thrown by a hook')
  },
}

export default defineConfig({
  modules: 'modules/*',
  ...(process.env.FAULTS_HOOKS === 'bad' ? badHooks : {}),
  ...changed,
})
