let known: string | undefined
let isBack = false

// The browser scrolls to where one was.
addEventListener('popstate', () => {
  isBack = true
})

/**
 * One has come to a page: whoever reads or goes by keyboard begins at its heading, and at its top. The first page is
 * the browser's own affair.
 */
export function arrive(path: string, heading: HTMLElement | null): void {
  if (known === path) return
  if (known !== undefined && heading) {
    heading.focus({ preventScroll: true })
    if (!isBack) scrollTo(0, 0)
  }
  known = path
  isBack = false
}
