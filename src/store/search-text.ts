/** How text is found in rows, by statements and in memory. */

/** Adds a value to a statement, and gives its name there. */
export type Value = (value: unknown) => string

/** Characters of a value that a search for text looks at. */
export const searchedCharacters = 65_536

/** By looking into what is hidden, one could guess it. */
export const notHidden = `(j.options IS NULL OR position('"redact"' IN j.options) = 0)`

/** Short ids are the ends of long ones: a word that looks like one means a job by it, too. */
export function idEndIn(text: string): string | undefined {
  return /^[0-9a-f]{8}$/i.test(text) ? text.toLowerCase() : undefined
}

/** What is looked for, for LIKE: as a value of JSON text has it, and as a piece of that text. */
export function patterns(text: string): string[] {
  return wordings(text).map((each) => `%${each.replace(/[\\%_]/g, '\\$&')}%`)
}

export function wordings(text: string): string[] {
  return [...new Set([JSON.stringify(text).slice(1, -1), text.replaceAll('\0', '')])].filter(
    (each) => each !== '',
  )
}
