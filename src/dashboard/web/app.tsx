import { lazy, Suspense } from 'react'
import { Route, Router, Switch, useLocation } from 'wouter'
import { mount } from './api/address.js'
import { NotFound } from './page/not-found.js'
import { Admission } from './shell/admission.js'
import { Failure } from './shell/failure.js'
import { Shell } from './shell/shell.js'
import { Toasts } from './ui/toast.js'
import { Waiting } from './ui/waiting.js'

const Overview = lazy(() => import('./page/overview/overview-page.js'))
const Jobs = lazy(() => import('./page/jobs/jobs-page.js'))
const Job = lazy(() => import('./page/job/job-page.js'))
const Tasks = lazy(() => import('./page/tasks/tasks-page.js'))
const Task = lazy(() => import('./page/tasks/task-page.js'))
const Queues = lazy(() => import('./page/queues/queues-page.js'))
const Queue = lazy(() => import('./page/queues/queue-page.js'))
const Audit = lazy(() => import('./page/audit/audit-page.js'))
const AuditLine = lazy(() => import('./page/audit/audit-line-page.js'))
const Workers = lazy(() => import('./page/workers/workers-page.js'))
const Worker = lazy(() => import('./page/workers/worker-page.js'))
const System = lazy(() => import('./page/system/system-page.js'))

/** Also with a line break in it, which wouter takes for the end of an address. */
const anything = /[\s\S]*/

/** Each page by its address. All that a page shows is said by its address, so that it can be shared. */
export function App() {
  return (
    <Router base={mount}>
      <Toasts>
        <Shell>
          <Admission>
            <Pages />
          </Admission>
        </Shell>
      </Toasts>
    </Router>
  )
}

function Pages() {
  const [path] = useLocation()
  return (
    <Failure path={path}>
      <Suspense fallback={<Waiting />}>
        <Switch>
          <Route path="/" component={Overview} />
          <Route path="/jobs" component={Jobs} />
          <Route path="/jobs/:id" component={Job} />
          <Route path="/tasks" component={Tasks} />
          <Route path="/tasks/:name" component={Task} />
          <Route path="/queues" component={Queues} />
          <Route path="/queues/:name" component={Queue} />
          <Route path="/audit" component={Audit} />
          <Route path="/audit/:id" component={AuditLine} />
          <Route path="/workers" component={Workers} />
          <Route path="/workers/:id" component={Worker} />
          <Route path="/system" component={System} />
          <Route path={anything} component={NotFound} />
        </Switch>
      </Suspense>
    </Failure>
  )
}
