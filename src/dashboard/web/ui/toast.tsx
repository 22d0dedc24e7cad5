import { Toast } from '@base-ui/react/toast'
import type { ReactNode } from 'react'
import css from './toast.module.css'

/** Short words about what was done. */
export function Toasts({ children }: { readonly children: ReactNode }) {
  return (
    <Toast.Provider>
      {children}
      <Toast.Portal>
        <Toast.Viewport className={css.place}>
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function List() {
  const { toasts } = Toast.useToastManager()
  return toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className={css.toast}>
      <div>
        <Toast.Title className={css.title} />
        <Toast.Description />
      </div>
      <Toast.Close className={css.close} aria-label="Close">
        ×
      </Toast.Close>
    </Toast.Root>
  ))
}

export function useTell(): (title: string, description?: string) => void {
  const { add } = Toast.useToastManager()
  return (title, description) => void add({ title, ...(description ? { description } : {}) })
}
