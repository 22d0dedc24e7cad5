import { randomUUID } from 'node:crypto'
import { access, mkdir, writeFile } from 'node:fs/promises'
import sharp from 'sharp'
import { Refusal } from '../../refusal.js'
import { stored } from '../../storage.js'
import { type Size, sizes } from './sizes.js'

export interface Thumbnail {
  readonly size: string
  readonly url: string
  readonly width: number
  readonly height: number
  readonly bytes: number
}

const formats: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif', 'heif'])

const taken = 'JPEG, PNG, WebP, GIF, TIFF and AVIF are taken.'

/** A picture of a few kilobytes may unfold to gigabytes of pixels. */
const limits = { limitInputPixels: 50_000_000 }

/**
 * Keeps an uploaded picture under an id of ours. Nothing that the client says becomes part of a path.
 * @throws {Refusal} when it is no picture that can be read
 */
export async function keepPicture(bytes: Buffer): Promise<string> {
  await assertPicture(bytes)
  const id = randomUUID()
  await mkdir(stored('pictures', id), { recursive: true })
  await writeFile(original(id), bytes)
  return id
}

async function assertPicture(bytes: Buffer): Promise<void> {
  const found = await sharp(bytes, limits)
    .metadata()
    .catch((cause: unknown) => {
      throw new Refusal(422, `This is no picture that can be read. ${taken}`, { cause })
    })
  if (!formats.has(found.format)) {
    throw new Refusal(422, `This is a picture of the kind ${found.format}. ${taken}`)
  }
}

export async function hasPicture(id: string): Promise<boolean> {
  return access(original(id)).then(
    () => true,
    () => false,
  )
}

/** Running twice writes the same file twice: no harm when an attempt is repeated. */
export async function makeThumbnail(id: string, size: Size): Promise<Thumbnail> {
  const made = await sharp(original(id), limits)
    .autoOrient()
    .resize({ width: size.width, withoutEnlargement: true })
    .webp()
    .toFile(stored('pictures', id, `${size.name}.webp`))
  const { width, height, size: bytes } = made
  return { size: size.name, url: `/pictures/${id}/${size.name}.webp`, width, height, bytes }
}

/** Where a thumbnail is, if `id` and `size` are of the kind that we gave out. */
export function thumbnailFile(id: string, size: string): string | undefined {
  const isOurs = uuid.test(id) && sizes.some(({ name }) => name === size)
  return isOurs ? stored('pictures', id, `${size}.webp`) : undefined
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function original(id: string): string {
  return stored('pictures', id, 'original')
}

/** The image library's reasons have several lines, and the first one says it. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return (
    message
      .split('\n')[0]
      ?.replace(/^Input buffer /, 'the file ')
      .replace(/\.$/, '') ?? message
  )
}
