import { defineTask, GiveUp } from 'celeriac'
import { z } from 'zod'
import { pause } from '../../pace.js'
import { hasPicture, makeThumbnail, reasonOf, type Thumbnail } from './pictures.js'
import { sizes } from './sizes.js'

/** The payload holds the picture's id: a job carries what is to be done, files carry the bytes. */
export const makeThumbnails = defineTask({
  payload: z.object({ picture: z.uuid() }),
  attempts: 3,
  timeLimit: '1m',
  async run({ picture }, { progress, signal }) {
    if (!(await hasPicture(picture))) throw new GiveUp(`Picture ${picture} is not on this machine.`)
    const thumbnails: Thumbnail[] = []
    for (const [done, size] of sizes.entries()) {
      await progress({ percent: Math.round((100 * done) / sizes.length), note: `making ${size.name}` })
      thumbnails.push(await makeThumbnail(picture, size).catch(giveUp))
      await pause(400, signal)
    }
    await progress({ percent: 100, note: 'all sizes made' })
    return { picture, thumbnails }
  },
})

/** A broken picture stays broken: no attempt is wasted on it. */
function giveUp(cause: unknown): never {
  throw new GiveUp(`The picture is broken: ${reasonOf(cause)}.`, { cause })
}
