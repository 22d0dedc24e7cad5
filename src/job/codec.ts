import { type JsonText, limitText, toJsonText, toStoredError } from './json.js'

/**
 * How payloads and results become text and values again, where plain JSON is not enough: superjson and devalue fit as
 * they are. What `stringify` gives must be JSON.
 */
export interface Codec {
  stringify(value: unknown): string
  parse(text: string): unknown
}

/** The values of rows: as plain JSON, or by a codec. */
export interface Values {
  /** Never throws, whatever `value` does. */
  toText(value: unknown): JsonText
  /** @throws {Error} what no codec here can read */
  fromText(text: string): unknown
  /** JSON of what was read from a row, for people and for HTTP, with whatever a codec made of it. */
  toShownJson(value: unknown): string
}

/** Text of a codec begins with it. JSON allows it, `JSON.stringify` never writes it, and so each text says what it is. */
const mark = '\t'

export const plainValues: Values = {
  toText: toJsonText,
  fromText: parsePlain,
  toShownJson: JSON.stringify,
}

export function createValues(codec: Codec | undefined): Values {
  if (!codec) return plainValues
  return {
    toText: (value) => encode(codec, value),
    fromText: (text) => (text.startsWith(mark) ? codec.parse(text.slice(mark.length)) : JSON.parse(text)),
    toShownJson,
  }
}

function parsePlain(text: string): unknown {
  if (text.startsWith(mark))
    throw new Error('It was written by a codec, and this process has none: give it the same "codec".')
  return JSON.parse(text)
}

function encode(codec: Codec, value: unknown): JsonText {
  if (value === undefined) return { json: 'null' }
  try {
    const text: unknown = codec.stringify(value)
    if (typeof text !== 'string') return { reason: `the codec gave ${typeof text} for it, and no text` }
    JSON.parse(text)
    return { json: mark + text }
  } catch (error) {
    return { reason: `the codec cannot carry it: ${toStoredError(error).message}` }
  }
}

/** As {@link Values.toText}, refusing what is longer than `maxBytes` of UTF-8. */
export function toLimitedText(values: Values, value: unknown, maxBytes: number): JsonText {
  return limitText(values.toText(value), maxBytes)
}

/** JSON for people of whatever a codec has made. */
export function toShownJson(value: unknown): string {
  return JSON.stringify(value, plainly)
}

/** What JSON lacks, in the plainest way: a `BigInt` as its digits, a `Map` and a `Set` as lists, bytes as base64. */
function plainly(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Map || value instanceof Set) return [...value]
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (ArrayBuffer.isView(value) && Symbol.iterator in value)
    return [...(value as Iterable<unknown> & ArrayBufferView)]
  return value
}
