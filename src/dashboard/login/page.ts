import type { Response } from 'express'
import { escapeHtml, htmlType, send } from '../answer.js'

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
  const body = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">${refresh}
<title>${escapeHtml(title)} · Celeriac</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main>
<p class="brand">Celeriac</p>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
<p class="links">${buttons}</p>
</main>
</body>
</html>
`
  send(res, { status, type: htmlType, body })
}

const style = `
:root { color-scheme: light dark; --back: #f6f7f5; --card: #fff; --ink: #1c211a; --soft: #555d52; --line: #d9ddd6; --main: #2f6b2a; --on-main: #fff }
@media (prefers-color-scheme: dark) {
  :root { --back: #141713; --card: #1d211c; --ink: #e9ede7; --soft: #a5ada1; --line: #363c34; --main: #8fd186; --on-main: #10240d }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 26rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow-wrap: anywhere }
.brand { margin: 0 0 1.5rem; font-weight: 600; color: var(--soft) }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25 }
p { margin: 0 0 1.5rem; color: var(--soft) }
.links { margin: 0; display: flex; flex-wrap: wrap; gap: .75rem }
a { display: inline-block; padding: .6rem 1.1rem; border: 1px solid var(--line); border-radius: 8px; color: var(--ink); text-decoration: none }
a.main { background: var(--main); border-color: var(--main); color: var(--on-main); font-weight: 600 }
a:hover { filter: brightness(1.08) }
a:focus-visible { outline: 3px solid var(--main); outline-offset: 2px }
`
