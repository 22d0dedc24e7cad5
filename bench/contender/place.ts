/** Where Celeriac stands: on two servers, on the embedded default in an app's folder, or on PostgreSQL alone. */
export type Place =
  | { readonly databaseUrl: string; readonly redisUrl: string }
  | { readonly databaseUrl: string; readonly root: string }
  | { readonly databaseUrl: string }

/** The same as options of `celeriac()`. */
export function optionsFor(place: Place) {
  if ('redisUrl' in place) return { database: place.databaseUrl, broker: place.redisUrl }
  if ('root' in place) return { root: place.root, embedded: true }
  return { database: place.databaseUrl }
}
