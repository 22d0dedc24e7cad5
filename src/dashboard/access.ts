import type { Request } from 'express'
import {
  type DashboardAction,
  type DashboardRole,
  dashboardActions,
  isDashboardRole,
  leastRoleFor,
  type MayDo,
  mayAs,
} from '../control/access.js'
import { toPlainText } from '../job/json.js'
import type { Refusal } from './answer.js'

export type { DashboardAction, DashboardRole } from '../control/access.js'

/** Somebody who may see the dashboard, or do something there. */
export interface Visitor {
  /** His name, where `authorize` gives it. */
  readonly by: string | null
  /** `null` where a function decides. */
  readonly role: DashboardRole | null
  may(action: DashboardAction): boolean
  /** All that he may. */
  readonly actions: readonly DashboardAction[]
}

/** What is the matter with an answer of the app's own code, for the log. */
export type TellFault = (fault: Fault) => void
export type Fault =
  | { readonly kind: 'verdict' | 'may'; readonly got: string }
  | { readonly kind: 'threw'; readonly error: unknown }

/** Who it is, by what `authorize` has answered. What is none of the answers that it may give is a no. */
export function toVisitor(verdict: unknown, tell: TellFault): Visitor | undefined {
  if (!verdict) return undefined
  if (verdict === true) return withRole('admin', null)
  if (isDashboardRole(verdict)) return withRole(verdict, null)
  if (typeof verdict === 'function') return withFunction(verdict, null, tell)
  const named = readNamed(verdict)
  if (!named) {
    tell({ kind: 'verdict', got: shapeOf(verdict) })
    return undefined
  }
  const { name, role, may } = named
  if (may) return withFunction(may, name, tell)
  return role ? withRole(role, name) : undefined
}

function withRole(role: DashboardRole, by: string | null): Visitor {
  const actions = dashboardActions.filter((action) => mayAs(role, action))
  return { by, role, actions, may: (action) => actions.includes(action) }
}

/** The app's function is asked anew each time: one that looks at the request may know better by then. */
function withFunction(ask: unknown, by: string | null, tell: TellFault): Visitor {
  const may: MayDo = (action) => {
    try {
      const answer: unknown = (ask as MayDo)(action)
      if (typeof answer !== 'boolean' && answer !== undefined && answer !== null)
        tell({ kind: 'may', got: shapeOf(answer) })
      return answer === true
    } catch (error) {
      tell({ kind: 'threw', error })
      return false
    }
  }
  return {
    by,
    role: null,
    may,
    get actions() {
      return dashboardActions.filter(may)
    },
  }
}

interface Named {
  readonly name: string | null
  readonly role: DashboardRole | undefined
  readonly may: unknown
}

/** Exactly the form that is documented: an app's own user, who has a role there, is not let in by mistake. */
function readNamed(verdict: unknown): Named | undefined {
  if (typeof verdict !== 'object' || verdict === null || Array.isArray(verdict)) return undefined
  const { name, role, may, ...rest } = verdict as Record<string, unknown>
  const isName = name === undefined || name === null || typeof name === 'string'
  if (!isName || Object.keys(rest).length > 0) return undefined
  const by = name ? toPlainText(name.slice(0, longestName)) : null
  if ('role' in verdict === 'may' in verdict) return undefined
  if ('may' in verdict) return typeof may === 'function' ? { name: by, role: undefined, may } : undefined
  if (!role) return { name: by, role: undefined, may: undefined }
  return isDashboardRole(role) ? { name: by, role, may: undefined } : undefined
}

const longestName = 255

/** Never what it holds, which may be a secret. */
function shapeOf(value: unknown): string {
  if (typeof value === 'string') return 'another text'
  if (value instanceof Promise) return 'a promise'
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  return `an object with ${Object.keys(value).slice(0, 10).join(', ').slice(0, 200) || 'nothing in it'}`
}

/** From where a request came, for the audit. */
export function fromOf({ ip }: Pick<Request, 'ip'>): string {
  return ip === undefined ? 'http' : `http ${ip}`
}

/** The answer to somebody who is known, and may not do this. */
export function forbidden({ role }: Visitor, action: DashboardAction): Refusal {
  const least = leastRoleFor(action)
  const message =
    role === null
      ? `You may not do this: it takes the right to "${action}", which the role "${least}" has.`
      : `You may not do this: "${action}" takes the role "${least}", and you are "${role}".`
  return { status: 403, code: 'FORBIDDEN', message }
}
