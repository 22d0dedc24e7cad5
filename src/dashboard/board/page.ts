import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Answer, escapeHtml, htmlType } from '../answer.js'
import type { BullBoard } from './load.js'

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
    .replace(
      /<base\b[^>]*>/,
      (base) => `${base}\n<script>${resolveBase}</script>\n<style>${hideWhatIsNotOffered}</style>`,
    )
    .replace(/<(script|style)\b/g, `<$1 nonce="${nonce}"`)
}

/** The scripts that follow build their addresses from the attribute, so it must be whole by then. */
const resolveBase = `{const base = document.querySelector('base')
base.setAttribute('href', new URL(base.href).pathname)}`

/**
 * What the board does not offer is not shown. Its controls have no names but their icons: job actions to duplicate, edit
 * and reschedule, and to cancel what has ended; in menus to add, limit, empty and delete; lists that are always empty.
 */
const hideWhatIsNotOffered = `
[class*="jobActions-"] li:has(.lucide-files, .lucide-pencil, .lucide-clock),
[class*="jobActions-"]:has(.lucide-refresh-cw) li:has(.lucide-trash-2),
[class*="jobActions-"]:not(:has(.lucide-pencil)) li:has(.lucide-trash-2),
[class*="queueActions-"] li:has(.lucide-corner-up-left, .lucide-trash-2),
[class*="editButton-"],
[role="menuitem"]:has(.lucide-plus, .lucide-chart-no-axes-gantt, .lucide-trash-2, .lucide-ban),
[class*="statusTabs-"] li:is([class*="waitingChildren-"], [class*="prioritized-"], [class*="paused-"])
{ display: none !important }`
