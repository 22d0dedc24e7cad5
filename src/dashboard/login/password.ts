import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** What `scrypt$N$r$p$salt$hash` says; salt and hash are base64url. */
export interface PasswordHash {
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: Buffer
  readonly hash: Buffer
}

/** A third of a second of one core, and 32 MB, for each guess. */
const usual = Object.freeze({ cost: 2 ** 15, blockSize: 8, parallelization: 3 })
const saltBytes = 16
const hashBytes = 32

/** The text that stands in a file in the place of a password. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await derive(password, { ...usual, salt }, hashBytes)
  const { cost, blockSize, parallelization } = usual
  return [
    'scrypt',
    cost,
    blockSize,
    parallelization,
    salt.toString('base64url'),
    hash.toString('base64url'),
  ].join('$')
}

export function looksHashed(text: string): boolean {
  return text.startsWith('scrypt$')
}

/** `undefined`: it is no such text, or one that no machine would get through. */
export function readHash(text: string): PasswordHash | undefined {
  const found = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]{8,200})\$([\w-]{22,200})$/.exec(text)
  if (!found) return undefined
  const [, cost = 0, blockSize = 0, parallelization = 0] = found.map(Number)
  const isPowerOfTwo = cost > 1 && (cost & (cost - 1)) === 0
  if (!isPowerOfTwo || blockSize < 1 || parallelization < 1) return undefined
  if (memoryOf({ cost, blockSize }) > mostMemory || parallelization > 16) return undefined
  const [salt, hash] = [found[4], found[5]].map((part = '') => Buffer.from(part, 'base64url'))
  return salt && hash ? { cost, blockSize, parallelization, salt, hash } : undefined
}

export async function isPassword(password: string, expected: PasswordHash): Promise<boolean> {
  const hash = await derive(password, expected, expected.hash.length)
  return timingSafeEqual(hash, expected.hash)
}

/** Takes as long as a real one, for names that nobody has. */
export function nobodysHash(): PasswordHash {
  return { ...usual, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) }
}

const mostMemory = 2 ** 28

function memoryOf({ cost, blockSize }: Pick<PasswordHash, 'cost' | 'blockSize'>): number {
  return 128 * cost * blockSize
}

function derive(
  password: string,
  { cost, blockSize, parallelization, salt }: Omit<PasswordHash, 'hash'>,
  bytes: number,
): Promise<Buffer> {
  // Node counts a little more than the algorithm does.
  const maxmem = 2 * memoryOf({ cost, blockSize })
  return new Promise((resolve, reject) => {
    scrypt(
      password.normalize('NFKC'),
      salt,
      bytes,
      { cost, blockSize, parallelization, maxmem },
      (error, hash) => (error ? reject(error) : resolve(hash)),
    )
  })
}
