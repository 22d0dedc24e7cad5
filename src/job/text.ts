/** PostgreSQL refuses NUL in text, and UTF-8 has no lone surrogates. */
export function isPlain(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/[\u0000-\u001f\u007f]/.test(value) && !/\p{Surrogate}/u.test(value)
}
