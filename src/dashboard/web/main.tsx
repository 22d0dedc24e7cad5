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
