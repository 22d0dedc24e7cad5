import { CSPProvider } from '@base-ui/react/csp-provider'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.js'
import './style/tokens.css'
import './style/base.css'

const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce
const place = document.getElementById('app')
if (place)
  createRoot(place).render(
    <StrictMode>
      <CSPProvider {...(nonce ? { nonce } : {})}>
        <App />
      </CSPProvider>
    </StrictMode>,
  )

setTimeout(loadRest, 5000)

/** Menus and dialogs, before somebody needs them when the server is away. Not while nobody looks. */
function loadRest(): void {
  if (document.hidden) {
    document.addEventListener('visibilitychange', loadRest, { once: true })
    return
  }
  for (const load of [() => import('./ui/opened-menu.js'), () => import('./ui/opened-dialog.js')])
    void load().catch(() => {})
}
