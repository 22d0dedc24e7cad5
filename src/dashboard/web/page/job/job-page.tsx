import { useParams } from 'wouter'
import { useApi } from '../../api/use-api.js'
import { Card } from '../../ui/card.js'
import { JsonView } from '../../ui/json.js'
import { ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { State } from '../../ui/state.js'
import { Waiting } from '../../ui/waiting.js'

export default function JobPage() {
  const { id = '' } = useParams<{ id: string }>()
  const { data, problem } = useApi('GET /jobs/:id', { params: { id } })
  return (
    <Page title={data ? data.job.task : 'Job'} note={data && <State state={data.job.state} />}>
      <ProblemNote problem={problem} />
      {data ? (
        <Card title="Payload">
          <JsonView label="payload" value={data.job.payload} />
        </Card>
      ) : (
        !problem && <Waiting height={420} />
      )}
    </Page>
  )
}
