import { mkdir, writeFile } from 'node:fs/promises'
import { stored } from '../../storage.js'

export const moods = ['moody', 'steady', 'down'] as const
export type Mood = (typeof moods)[number]

export interface Letter {
  /** The same in every attempt, so that a letter is never in the outbox twice. */
  readonly id: string
  readonly to: string
  readonly subject: string
}

/**
 * Pretends to be a mail server. A steady one takes every letter, a moody one refuses each letter one to three times
 * (which depends on its id), and one that is down refuses all.
 */
export async function deliver(letter: Letter, mood: Mood, attempt: number): Promise<void> {
  if (attempt <= refusals(letter, mood)) throw new Error('451 The mail server is busy. Try again later.')
  await mkdir(stored('outbox'), { recursive: true })
  await writeFile(stored('outbox', `${letter.id}.eml`), `To: ${letter.to}\nSubject: ${letter.subject}\n`)
}

function refusals({ id }: Letter, mood: Mood): number {
  if (mood === 'steady') return 0
  return mood === 'down' ? Number.POSITIVE_INFINITY : 1 + (Number.parseInt(id.slice(-4), 16) % 3)
}
