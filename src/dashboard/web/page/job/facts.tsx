import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { JobPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useMe } from '../../api/use-api.js'
import { Card, Grid } from '../../ui/card.js'
import { Copy } from '../../ui/copy.js'
import { Facts } from '../../ui/facts.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { JsonView } from '../../ui/json.js'
import { Badge } from '../../ui/state.js'
import { None, Time } from '../../ui/time.js'
import { tellBackoff, tellTimeLimit } from './options.js'
import { traceIdOf, traceLink } from './trace.js'

type JobOf = Json<JobPage>['job']

/** Where it comes from, and how it is run. */
export function JobFacts({ job }: { readonly job: JobOf }) {
  return (
    <Grid least={440}>
      <Card title="Where it comes from">
        <Facts facts={originOf(job)} />
        {job.context?.values !== undefined && Object.keys(job.context.values).length > 0 && (
          <JsonView label="context" value={job.context.values} />
        )}
      </Card>
      <Card title="How it is run">
        <Facts facts={policyOf(job)} />
      </Card>
    </Grid>
  )
}

function originOf(job: JobOf): readonly (readonly [string, ReactNode])[] {
  return [
    ['Enqueued', <Time key="at" at={job.createdAt} />],
    [
      'Owner',
      job.owner === null ? (
        <None key="none" />
      ) : (
        <Link key="owner" href={jobsLink({ owner: [job.owner] })}>
          {job.owner}
        </Link>
      ),
    ],
    ['Tags', <Tags key="tags" tags={job.tags} />],
    ['Request', job.requestId === null ? <None key="none" /> : <code key="request">{job.requestId}</code>],
    ['Trace', <Trace key="trace" traceparent={job.traceparent} />],
    ['Locale', job.context?.locale ?? <None key="none" />],
    ['Key', job.idempotencyKey === null ? <None key="none" /> : <code key="key">{job.idempotencyKey}</code>],
  ]
}

function policyOf(job: JobOf): readonly (readonly [string, ReactNode])[] {
  return [
    [
      'Queue',
      <Link key="queue" href={`/queues/${encodeURIComponent(job.queue)}`}>
        {job.queue}
      </Link>,
    ],
    ['Priority', String(job.priority)],
    [
      'Attempts',
      `${job.maxAttempts} at most; ${job.failures} failed${job.lost > 0 ? `, ${job.lost} lost` : ''}`,
    ],
    ['Backoff', tellBackoff(job.options.backoff) ?? 'that of its task'],
    ['Time limit', tellTimeLimit(job.options.timeLimit) ?? 'that of its task'],
    ['Due', <Time key="due" at={job.runAt} />],
    ['Expires', job.expiresAt === null ? 'never' : <Time key="expires" at={job.expiresAt} />],
    [
      'Limit key',
      job.limitKey === null || job.limitKey === '' ? (
        <None key="none" />
      ) : (
        <code key="limit">{job.limitKey}</code>
      ),
    ],
    ['Delivery', String(job.delivery)],
  ]
}

function Tags({ tags }: { readonly tags: readonly string[] }) {
  if (tags.length === 0) return <None />
  return tags.map((tag) => (
    <Link key={tag} href={jobsLink({ tag: [tag] })}>
      <Badge>{tag}</Badge>{' '}
    </Link>
  ))
}

function Trace({ traceparent }: { readonly traceparent: string | null }) {
  const me = useMe()
  const id = traceIdOf(traceparent)
  if (id === undefined) return <None />
  const link = traceLink(traceparent, me?.traceUrl)
  return (
    <>
      {link === undefined ? (
        <code>{id}</code>
      ) : (
        <a href={link} target="_blank" rel="noreferrer">
          <code>{id}</code>
        </a>
      )}{' '}
      <Copy text={id} label="Copy the id of the trace" />
    </>
  )
}
