/** A URL without user, password and parameters, for banners, logs and error messages. */
export function secretless(url: string): string {
  // A password may hold a raw @, / or #, so everything up to the last @ goes.
  const match = /^([a-z+]+:\/\/)(?:.*@)?([^/?#]*)(\/[^?#]*)?/is.exec(url)
  return match ? `${match[1]}${match[2]}${match[3] ?? ''}` : 'an address that cannot be read'
}

/**
 * A text with the passwords of the URLs in it masked: `postgres://app:***@db/shop`. What errors and lines of a log quote of
 * addresses is kept, sent and shown.
 */
export function withoutPasswords(text: string): string {
  if (!text.includes('://')) return text
  return text.replace(databaseUrl, '$1***@').replace(anyUrl, '$1***@')
}

// Passwords of databases come with raw slashes and signs, too; of the rest of an address, little is lost. Both are bounded,
// so that a long text takes no longer than it is.
const databaseUrl =
  /((?:postgres(?:ql)?|rediss?|mysql|mongodb(?:\+srv)?|amqps?):\/\/[^\s:@/"'`<>\\]{0,100}:)[^\s"'`<>\\]{1,300}@/gi
const anyUrl = /(\b[a-z][a-z\d+.-]{0,20}:\/\/[^\s:@/?#"'`<>\\]{0,100}:)[^\s@/?#"'`<>\\]{1,300}@/gi
