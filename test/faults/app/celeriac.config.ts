import { type CeleriacOptions, defineConfig } from 'celeriac'

/** A run may shorten the leases; the default ones are what a long run measures. */
const changed = JSON.parse(process.env.FAULTS_OPTIONS ?? '{}') as CeleriacOptions

export default defineConfig({ modules: 'modules/*', ...changed })
