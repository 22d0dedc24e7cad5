import { version } from '../../version.js'
import type { AnswerOf, Me } from './contract.js'
import type { Call } from './route.js'

/** `GET /me`: who asks, and what he may do. */
export async function showMe({ deps, visitor, mount }: Call<'GET /me'>): Promise<Me> {
  return {
    name: visitor.by,
    role: visitor.role,
    actions: visitor.actions,
    version,
    canLogOut: deps.canLogOut,
    traceUrl: deps.config.dashboard.traceUrl ?? null,
    statusUrl: statusUrl(deps.config, mount),
  }
}

/** Below the middleware that is one step up; where the app itself has mounted the dashboard, only the app can say. */
function statusUrl({ path, publicPath }: Call<'GET /me'>['deps']['config'], mount: string): string | null {
  if (mount.endsWith(`${path}/dashboard`)) return '../{id}'
  return publicPath === undefined ? null : `${publicPath.replace(/\/$/, '')}/{id}`
}

/** `GET /openapi.json`: this API, described. */
export async function showDescription({
  api,
}: Call<'GET /openapi.json'>): Promise<AnswerOf<'GET /openapi.json'>> {
  return { ...api.describe() }
}
