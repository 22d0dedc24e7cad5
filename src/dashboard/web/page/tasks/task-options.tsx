import type { TaskPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Card } from '../../ui/card.js'
import { Facts } from '../../ui/facts.js'
import { tellCount, tellDuration } from '../../ui/format.js'
import { NameLinks } from '../../ui/name-link.js'
import { None } from '../../ui/time.js'
import { tellBackoff, tellPriority, tellRetention, tellUnique } from './option-words.js'

/** What holds for its jobs where a call says nothing else. */
export function TaskOptions({ task }: { readonly task: Json<TaskPage> }) {
  const { attempts, backoff, expiresInMs, unique, pool, retention, redact, aliases, priority, workers } = task
  return (
    <Card title="Options" note="By code and configuration. A call may say something else for its job.">
      <Facts
        facts={[
          ['Attempts', tellCount(attempts)],
          ['Backoff', tellBackoff(backoff)],
          ['Expires', expiresInMs === null ? 'never' : `${tellDuration(expiresInMs)} after it was enqueued`],
          ['Priority', tellPriority(priority)],
          ['Unique', tellUnique(unique)],
          ['Pool', pool ?? 'as the worker has it'],
          ['Kept', tellRetention(retention)],
          ['Hidden', redact.length === 0 ? 'nothing' : redact.join(', ')],
          ['Aliases', aliases.length === 0 ? <None key="aliases" /> : aliases.join(', ')],
          [
            'Run by',
            workers.length === 0 ? 'nobody' : <NameLinks key="workers" kind="worker" names={workers} />,
          ],
        ]}
      />
    </Card>
  )
}
