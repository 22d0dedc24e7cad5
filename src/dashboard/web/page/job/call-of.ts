import type { JobPage, TaskPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import type { Call } from './snippets.js'

type Repeated = Pick<
  Json<JobPage>['job'],
  'task' | 'payload' | 'queue' | 'priority' | 'maxAttempts' | 'owner' | 'tags'
>
type Usual = Pick<Json<TaskPage>, 'queue' | 'priority' | 'attempts'>

/** The call that enqueues such a job again: what its task says by itself is left out, where that is known. */
export function callOf(
  { task, payload, queue, priority, maxAttempts, owner, tags }: Repeated,
  usual: Usual | undefined,
): Call {
  return {
    task,
    payload,
    ...(usual?.queue === queue ? {} : { queue }),
    ...((usual?.priority ?? 0) === priority ? {} : { priority }),
    ...(usual?.attempts === maxAttempts ? {} : { attempts: maxAttempts }),
    owner,
    ...(tags.length === 0 ? {} : { tags }),
  }
}
