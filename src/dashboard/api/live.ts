import { ConfigError } from '../../errors.js'
import type { Call } from './route.js'

const mostWatched = 20

/** `GET /live?watch=…`: one stream for all that a page shows. */
export async function openLive({ query, api }: Call<'GET /live'>): Promise<void> {
  const watched = [...new Set(query.watch)]
  if (watched.length === 0 || watched.length > mostWatched)
    throw new ConfigError(
      `Say what to watch: 1 to ${mostWatched} addresses of this API, URL-encoded, as ?watch=%2Fqueues&watch=%2Fjobs%3Fstate%3Dfailed.`,
    )
  api.watch(watched)
}
