import type { StoredError } from '../job/job.js'

/** What an error is called, and how its message begins. */
export type ErrorHead = Pick<StoredError, 'name' | 'message'>

/** Characters of the JSON text of an error that are read for it: stacks come last, and are most of it. */
export const errorHeadLength = 4096

const head =
  /^\{"name":"((?:[^"\\]|\\.)*)",(?:"code":"(?:[^"\\]|\\.)*",)?"message":"((?:[^"\\]|\\[^u]|\\u.{4})*)/

/** @param text the beginning of an error's JSON text */
export function readErrorHead(text: string): ErrorHead {
  const [, name, message] = head.exec(text) ?? []
  if (name === undefined || message === undefined) return { name: 'Error', message: '' }
  return { name: fromJson(name), message: fromJson(message) }
}

function fromJson(text: string): string {
  return JSON.parse(`"${text}"`) as string
}
