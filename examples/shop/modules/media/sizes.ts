export interface Size {
  readonly name: string
  /** In pixels. A picture that is narrower is not enlarged. */
  readonly width: number
}

export const sizes: readonly Size[] = [
  { name: 'small', width: 160 },
  { name: 'medium', width: 400 },
  { name: 'large', width: 960 },
]
