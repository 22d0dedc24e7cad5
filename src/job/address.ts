/** A URL without user, password and parameters, for banners, logs and error messages. */
export function secretless(url: string): string {
  // A password may hold a raw @, / or #, so everything up to the last @ goes.
  const match = /^([a-z+]+:\/\/)(?:.*@)?([^/?#]*)(\/[^?#]*)?/is.exec(url)
  return match ? `${match[1]}${match[2]}${match[3] ?? ''}` : 'an address that cannot be read'
}
