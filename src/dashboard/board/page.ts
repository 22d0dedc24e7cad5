import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Answer, escapeHtml, htmlType } from '../answer.js'
import type { BullBoard } from './load.js'
import { notOffered } from './messages.js'

/** The one page of the board: its script shows everything else. */
export type Page = (request: { readonly path: string; readonly nonce: string }) => Answer

/**
 * Fills in bull-board's page. Nothing of another host stays in it, whatever runs in it carries the nonce, and its base
 * is relative: the browser alone knows which address it asked for.
 */
export async function createPage({ uiFolder, uiConfig }: BullBoard): Promise<Page> {
  const template = withoutForeignParts(await readFile(join(uiFolder, 'index.ejs'), 'utf8'))
  const fields: Readonly<Record<string, string>> = {
    title: uiConfig.boardTitle ?? '',
    favIconDefault: uiConfig.favIcon?.default ?? '',
    favIconAlternative: uiConfig.favIcon?.alternative ?? '',
    uiConfig: JSON.stringify(uiConfig).replaceAll('<', '\\u003c'),
  }

  return ({ path, nonce }) => ({ status: 200, type: htmlType, body: fill(template, fields, path, nonce) })
}

/** Fonts of another host, and style attributes, which our policy would block and the console lament. */
function withoutForeignParts(template: string): string {
  return template.replace(/<link\b[^>]*\bhref="https?:[^>]*>/g, '').replace(/ style="[^"]*"/g, '')
}

function fill(
  template: string,
  fields: Readonly<Record<string, string>>,
  path: string,
  nonce: string,
): string {
  const filled = { ...fields, basePath: '../'.repeat(path.split('/').length - 2) || './' }
  return template
    .replace(/<%([=-])\s*(\w+)\s*%>/g, (_, kind: string, name: string) => {
      const text = filled[name as keyof typeof filled] ?? ''
      return kind === '=' ? escapeHtml(text) : text
    })
    .replace(/<base\b[^>]*>/, (base) => `${base}\n<script>${resolveBase};${hideNotOffered}</script>`)
    .replace(/<(script|style)\b/g, `<$1 nonce="${nonce}"`)
}

/** The script that follows builds its addresses from the attribute, so it must be whole by then. */
const resolveBase = `{const base = document.querySelector('base')
base.setAttribute('href', new URL(base.href).pathname)}`

const hideNotOffered = `new MutationObserver(() => {
  for (const each of document.querySelectorAll('button, [role="menuitem"], [role="tooltip"]'))
    if (each.textContent === '${notOffered}' || each.ariaLabel === '${notOffered}') each.hidden = true
}).observe(document, { childList: true, subtree: true })`
