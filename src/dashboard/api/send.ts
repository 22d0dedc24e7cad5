import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'
import { toShownJson } from '../../job/codec.js'
import { jsonType, send } from '../answer.js'
import type { Rendered } from '../live/hub.js'

/** The time of the answer alone makes no other answer of it. */
export function render(answer: unknown): Rendered {
  const { now, ...rest } =
    typeof answer === 'object' && answer && 'now' in answer ? answer : { now: undefined }
  // What a codec made of a payload is no JSON by itself.
  const text = toShownJson(now === undefined ? answer : rest)
  const body = now === undefined ? text : `${text.slice(0, -1)},"now":${JSON.stringify(now)}}`
  return { body, tag: createHash('sha1').update(text).digest('base64url') }
}

/** 304 where the client has it already. */
export function sendAnswer(req: Request, res: Response, answer: unknown): void {
  sendRendered(req, res, render(answer))
}

export function sendRendered(req: Request, res: Response, { body, tag }: Rendered): void {
  const etag = `W/"${tag}"`
  if (req.method !== 'POST') res.setHeader('ETag', etag)
  if (req.method !== 'POST' && isKnown(req.headers['if-none-match'], etag)) res.writeHead(304).end()
  else send(res, { status: 200, type: jsonType, body })
}

function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((each) => each.trim().replace(/^"/, 'W/"') === etag)
}
