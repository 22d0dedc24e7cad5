import { Card, Grid } from '../../ui/card.js'
import { Facts } from '../../ui/facts.js'
import { tellCount } from '../../ui/format.js'
import { JsonView } from '../../ui/json.js'
import { NameLink } from '../../ui/name-link.js'
import { None } from '../../ui/time.js'
import type { WorkerData } from './worker-page.js'
import css from './workers.module.css'

/** What it is made of: versions, tasks, options. */
export function WorkerCode({ worker }: { readonly worker: WorkerData }) {
  const { version, nodeVersion, appVersion, tasks, config, id } = worker
  return (
    <>
      <Grid least={440}>
        <Card title="Versions">
          <Facts
            facts={[
              ['Celeriac', version],
              ['Node', nodeVersion || <None />],
              ['App', appVersion ?? <None />],
              ['Id', <code key="id">{id}</code>],
            ]}
          />
        </Card>
        <Card title="Tasks" note={`It knows ${tellCount(tasks.length)}, and runs jobs of no others.`}>
          <ul className={css.tasks}>
            {tasks.map((task) => (
              <li key={task}>
                <NameLink kind="task" name={task} />
              </li>
            ))}
          </ul>
        </Card>
      </Grid>
      <Card title="Configuration" note="The options that hold, without secrets.">
        <JsonView label="configuration" value={config} />
      </Card>
    </>
  )
}
