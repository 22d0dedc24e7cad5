/** Where Celeriac stands: on two servers, or on the embedded default in an app's folder. */
export type Place =
  | { readonly databaseUrl: string; readonly redisUrl: string }
  | { readonly databaseUrl: string; readonly root: string }

/** The same as options of `celeriac()`. */
export function optionsFor(place: Place) {
  return 'redisUrl' in place
    ? { database: place.databaseUrl, broker: place.redisUrl }
    : { root: place.root, embedded: true }
}
