export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A page that stands before the dashboard, or in its place. */
export interface Card {
  readonly title: string
  /** HTML, below the title. */
  readonly body: string
  /** HTML of the head. */
  readonly head?: string
}

/** @param nonce as the policy of the answer has it */
export function toCard({ title, body, head = '' }: Card, nonce: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">${head}
<title>${escapeHtml(title)} · Celeriac</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main>
<p class="brand">Celeriac</p>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`
}

/** The colours are those of the pages. */
const style = `
:root { color-scheme: light dark; --page: light-dark(#f6f7f6, #101513); --card: light-dark(#fff, #171e1a); --line: light-dark(#dfe3e0, #2a352f); --ink: light-dark(#17211b, #e7eee9); --soft: light-dark(#4c5a51, #b1beb6); --accent: light-dark(#22693f, #63bd86); --accent-hover: light-dark(#1a5431, #7bcf9b); --on-accent: light-dark(#fff, #08130c); --hover: light-dark(#f0f3f1, #1e2823) }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 26rem; padding: 32px; background: var(--card); border: 1px solid var(--line); border-radius: 9px; overflow-wrap: anywhere }
.brand { margin: 0 0 20px; font-weight: 600; color: var(--soft) }
h1 { margin: 0 0 8px; font-size: 22px; line-height: 1.25 }
p { margin: 0 0 20px; color: var(--soft); text-wrap: pretty }
.links { margin: 0; display: flex; flex-wrap: wrap; gap: 12px }
a { display: inline-block; padding: 8px 16px; border: 1px solid var(--line); border-radius: 5px; color: var(--ink); text-decoration: none }
a:hover { background: var(--hover) }
a.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600 }
a.main:hover { background: var(--accent-hover) }
main > :last-child { margin-bottom: 0 }
pre { margin: 0; padding: 12px; border: 1px solid var(--line); border-radius: 5px; background: var(--page); font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
`
