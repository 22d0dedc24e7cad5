import { defineConfig } from 'prisma/config'

// `prisma generate` and `validate` need no engine, but the CLI tries to download one first. Any executable stands in.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
})
