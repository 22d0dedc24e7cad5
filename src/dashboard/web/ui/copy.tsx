import { useState } from 'react'
import { Button } from './button.js'

/** Puts a text into the clipboard, and says so on itself. */
export function Copy({ text, label, children = 'Copy' }: CopyProps) {
  const [isDone, setDone] = useState(false)
  const copy = async () => {
    await write(text)
    setDone(true)
    setTimeout(() => setDone(false), 1500)
  }
  return (
    <Button size="small" aria-label={label} onClick={() => void copy()}>
      {isDone ? 'Copied' : children}
    </Button>
  )
}

interface CopyProps {
  readonly text: string
  readonly label: string
  readonly children?: string
}

/** A page that did not come over HTTPS has no clipboard of its own. */
async function write(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
