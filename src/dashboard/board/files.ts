import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { RequestHandler } from 'express'
import { jsonType, send } from '../answer.js'
import { isEnglish, toOurMessages } from './messages.js'

/** Stands before bull-board's own serving of its files, which redirects from folders and keeps nothing for later. */
export const filesOnly: RequestHandler = (req, res, next) => {
  if (extname(req.path) === '') return next('router')
  if (hasHashInName(req.path)) res.setHeader('Cache-Control', 'private, max-age=31536000, immutable')
  next()
}

/** The texts of the pages in one language, with ours among them. */
export function serveMessages(folder: string): RequestHandler<{ language: string }> {
  return async ({ params: { language } }, res, next) => {
    if (!isEnglish(language)) return next()
    const text = await readFile(join(folder, 'locales', language, 'messages.json'), 'utf8').catch(
      () => undefined,
    )
    if (text === undefined) next()
    else send(res, { status: 200, type: jsonType, body: toOurMessages(text) })
  }
}

function hasHashInName(path: string): boolean {
  return /\.[0-9a-f]{10}\.(js|css)$/.test(path)
}
