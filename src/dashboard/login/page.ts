import type { Response } from 'express'
import { htmlType, send } from '../answer.js'
import { escapeHtml, toCard } from '../html.js'

/** A page that stands before the dashboard. */
export interface LoginPage {
  readonly status: number
  readonly title: string
  readonly text: string
  /** Where to go from here. Relative, or a path of ours. */
  readonly links: readonly { readonly to: string; readonly label: string }[]
  /** Goes there by itself, as a page of ours: what another site has begun ends here. */
  readonly onward?: string
}

export function sendPage(
  res: Response,
  nonce: string,
  { status, title, text, links, onward }: LoginPage,
): void {
  const buttons = links
    .map(
      ({ to, label }, at) =>
        `<a${at === 0 ? ' class="main"' : ''} href="${escapeHtml(to)}">${escapeHtml(label)}</a>`,
    )
    .join('\n')
  const refresh =
    onward === undefined ? '' : `\n<meta http-equiv="refresh" content="0; url=${escapeHtml(onward)}">`
  const body = `<p>${escapeHtml(text)}</p>
<p class="links">${buttons}</p>`
  send(res, { status, type: htmlType, body: toCard({ title, body, head: refresh }, nonce) })
}
