import { defineConfig } from 'celeriac'

/** What the web process, the workers and the command line agree on. */
export default defineConfig({ modules: 'modules/*' })
