import { useEffect, useRef, useState } from 'react'
import type { AnswerOf } from '../../api/contract.js'
import { type Asked, addressOf } from './address.js'
import { isOutage, Problem, sendForJson } from './call.js'
import { feed } from './feed.js'
import type { Json } from './json.js'
import type { Readable, Shown } from './use-api.js'

interface Heard {
  readonly address: string
  readonly body: unknown
  readonly problem: Problem | undefined
}

/** After an outage, of which the page tells. */
const retryMs = 5000

/**
 * What the API says of an address that costs it more than others: asked once, again when something was done here, and
 * now and then, but in no stream.
 * @param asked `undefined`: nothing yet
 */
export function useSeldom<Name extends Readable>(
  name: Name,
  asked: Asked<Name> | undefined,
  everyMs = 60_000,
): Shown<Json<AnswerOf<Name>>> {
  const address = asked === undefined ? undefined : addressOf(name, asked)
  const [heard, setHeard] = useState<Heard>()
  const last = useRef<unknown>(undefined)
  useEffect(() => {
    if (address === undefined) return
    const gone = new AbortController()
    let again: ReturnType<typeof setTimeout> | undefined
    /** It was to be asked while nobody looked. */
    let isDue = false
    const ask = async () => {
      isDue = document.hidden
      if (isDue) return
      const next = await hear(address, gone.signal)
      if (gone.signal.aborted) return
      clearTimeout(again)
      if (next.problem && isOutage(next.problem)) again = setTimeout(() => void ask(), retryMs)
      else setHeard(next)
    }
    const look = () => void (isDue && ask())
    void ask()
    document.addEventListener('visibilitychange', look)
    const timer = setInterval(() => void ask(), everyMs)
    const unlisten = feed.onDone(() => void ask())
    return () => {
      document.removeEventListener('visibilitychange', look)
      clearInterval(timer)
      clearTimeout(again)
      unlisten()
      gone.abort()
    }
  }, [address, everyMs])
  const here = heard?.address === address ? heard : undefined
  if (here?.body !== undefined) last.current = here.body
  return {
    data: (here?.body ?? last.current) as Json<AnswerOf<Name>> | undefined,
    problem: here?.problem,
    isLoading: address !== undefined && !here,
  }
}

async function hear(address: string, signal: AbortSignal): Promise<Heard> {
  try {
    const { body } = await sendForJson(address, { signal })
    return { address, body, problem: undefined }
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem(0, 'UNKNOWN', String(error))
    return { address, body: undefined, problem }
  }
}
