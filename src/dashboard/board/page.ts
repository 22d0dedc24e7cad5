/**
 * bull-board's page as we show it: its script shows everything else. Nothing of another host stays in it, and whatever
 * runs in it carries the nonce.
 */
export function toOurPage(html: string, nonce: string): string {
  return withoutForeignParts(html)
    .replace(
      /<base\b[^>]*>/,
      (base) => `${base}\n<script>${resolveBase}</script>\n<style>${hideWhatIsNotOffered}</style>`,
    )
    .replace(/<(script|style)\b/g, `<$1 nonce="${nonce}"`)
}

/** Where the board is, seen from one of its pages: the browser alone knows which address it asked for. */
export function baseOf(path: string): string {
  return '../'.repeat(path.split('/').length - 2) || './'
}

/** Fonts of another host, and style attributes, which our policy would block and the console lament. */
function withoutForeignParts(html: string): string {
  return html.replace(/<link\b[^>]*\bhref="https?:[^>]*>/g, '').replace(/ style="[^"]*"/g, '')
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
