import { Card } from '../../ui/card.js'
import { Copy } from '../../ui/copy.js'
import css from './overview.module.css'

interface FirstStepsProps {
  /** A worker lives already. */
  readonly isServed: boolean
}

const task = [
  '// src/modules/mail/tasks.ts',
  "import { defineTask } from 'celeriac'",
  '',
  'export const welcome = defineTask(async ({ to }: { to: string }) => {',
  '  // what takes its time, and may fail',
  '  return { sentTo: to }',
  '})',
].join('\n')

const route = [
  '// in a file of routes',
  "import { welcome } from './modules/mail/tasks.js'",
  '',
  "app.post('/users', async (req, res) => {",
  '  const job = await welcome.enqueue({ to: req.body.email })',
  '  res.accepted(job)',
  '})',
].join('\n')

const worker = 'npx celeriac worker'

/** Where nothing has ever happened: how to begin. */
export function FirstSteps({ isServed }: FirstStepsProps) {
  return (
    <Card title="No job yet" note="This page fills by itself as soon as one comes. Three steps lead there:">
      <ol className={css.steps}>
        <Step title="Write a task" text={task} />
        <Step title="Enqueue it where a request should not wait" text={route} />
        {isServed ? (
          <li>
            <h3>A worker runs already</h3>
            <p className={css.done}>It takes the first job as soon as it comes.</p>
          </li>
        ) : (
          <Step title="Start a worker beside your app" text={worker} />
        )}
      </ol>
    </Card>
  )
}

function Step({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <li>
      <h3>{title}</h3>
      <div className={css.code}>
        <pre>{text}</pre>
        <Copy text={text} label={`Copy: ${title}`} />
      </div>
    </li>
  )
}
