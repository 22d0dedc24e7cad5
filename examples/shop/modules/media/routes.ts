import express, { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import { Refusal } from '../../refusal.js'
import { keepPicture, thumbnailFile } from './pictures.js'
import { makeThumbnails } from './tasks.js'

export const pictures = Router()

const readPicture = express.raw({ type: 'image/*', limit: '10mb' })

/** Express reads only bodies that are said to be images; for all others, `body` stays `undefined`. */
const assertBytes: RequestHandler = (req, _res, next) => {
  const type = req.get('Content-Type') ?? 'nothing'
  if (!type.startsWith('image/')) throw new Refusal(415, `A picture is expected, and ${type} came.`)
  if (!Buffer.isBuffer(req.body) || req.body.length === 0) throw new Refusal(400, 'The picture is empty.')
  next()
}

const explainSize: ErrorRequestHandler = (error, _req, _res, next) => {
  const isTooLarge = error instanceof Error && 'type' in error && error.type === 'entity.too.large'
  next(isTooLarge ? new Refusal(413, 'The picture is larger than 10 MB.') : error)
}

pictures.post('/', readPicture, assertBytes, async (req, res) => {
  const picture = await keepPicture(req.body)
  const job = await makeThumbnails.enqueue({ picture })
  res.accepted(job)
})

pictures.get('/:id/:size.webp', (req, res, next) => {
  const file = thumbnailFile(req.params.id, req.params.size)
  if (file === undefined) return next()
  res.sendFile(file, { immutable: true, maxAge: '1y' }, (error) => {
    if (error && !res.headersSent) next()
  })
})

pictures.use(explainSize)
