import type { ComponentProps, ReactNode } from 'react'
import css from './button.module.css'

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'className'> {
  /** `primary`: what the page is for. `danger`: it cannot be undone. `plain`: among others. Default `normal`. */
  readonly kind?: 'normal' | 'primary' | 'danger' | 'plain'
  readonly size?: 'normal' | 'small'
  /** It works, and must not be pressed again. */
  readonly isBusy?: boolean
  readonly children?: ReactNode
}

export function Button({ kind = 'normal', size = 'normal', isBusy = false, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`${css.button} ${css[kind] ?? ''} ${css[size] ?? ''}`}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
    />
  )
}
