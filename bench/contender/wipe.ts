import { Redis } from 'ioredis'
import pg from 'pg'
import type { Place } from './place.js'

/** Forgets everything, tables too: what a new installation finds. Nothing of ours may be open. */
export async function wipePlace(place: Place): Promise<void> {
  const client = new pg.Client({ connectionString: place.databaseUrl })
  await client.connect()
  await client.query(
    'SET client_min_messages = warning; DROP SCHEMA IF EXISTS celeriac, celeriac_broker CASCADE',
  )
  await client.end()
  if (!('redisUrl' in place)) return
  const redis = new Redis(place.redisUrl)
  await redis.flushdb()
  redis.disconnect()
}
