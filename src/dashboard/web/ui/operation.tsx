import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { AuditLine } from '../../api/contract.js'
import { call } from '../api/call.js'
import type { Json } from '../api/json.js'
import { useApi, useMay } from '../api/use-api.js'
import { Button } from './button.js'
import { useAct } from './dialog.js'
import { linkToArgs } from './jobs-link.js'
import { Note, ProblemNote } from './note.js'
import css from './operation.module.css'
import { bulkRights, isBulkAction, isClean, tellOutcomes, tellState, titleOf } from './operation-words.js'
import { Progress } from './progress.js'
import { Waiting } from './waiting.js'

interface OperationByIdProps {
  readonly id: string
  /** Takes it from the page; it goes on all the same. */
  onClose?(): void
}

/** An action on many jobs, by the id of its line in the audit: how far it is, and what came of it. */
export function OperationById({ id, onClose }: OperationByIdProps) {
  const { data, problem } = useApi('GET /commands/:id', { params: { id } })
  if (data?.id === id) return <OperationProgress line={data} {...(onClose ? { onClose } : {})} />
  if (!problem) return <Waiting height={124} />
  return (
    <div className={css.problem}>
      <ProblemNote problem={problem} />
      {onClose && <Button onClick={onClose}>Close</Button>}
    </div>
  )
}

interface OperationProgressProps {
  readonly line: Json<AuditLine>
  onClose?(): void
}

/** The same, where its line is known already. Whoever may stops it, or goes on with it. */
export function OperationProgress({ line, onClose }: OperationProgressProps) {
  const mayStop = useMay('operation.stop')
  const mayBegin = useMay(isBulkAction(line.verb) ? bulkRights[line.verb] : 'operation.stop')
  const { isBusy, problem, run } = useAct()
  const { id, verb, args, operation } = line
  if (!operation || !isBulkAction(verb)) return null
  const { state, done, matched, isMore, counts } = operation
  const link = linkToArgs(args)
  const named = { params: { id } }
  return (
    <Note
      kind={kindOf(operation)}
      title={titleOf(verb, operation)}
      aside={
        <>
          {mayStop && state === 'running' && (
            <Button isBusy={isBusy} onClick={() => void run(() => call('POST /commands/:id/stop', named))}>
              Stop
            </Button>
          )}
          {mayStop && mayBegin && canGoOn.includes(state) && (
            <Button isBusy={isBusy} onClick={() => void run(() => call('POST /commands/:id/resume', named))}>
              Go on
            </Button>
          )}
          {onClose && <Button onClick={onClose}>Close</Button>}
        </>
      }
    >
      <div className={css.parts}>
        {state !== 'done' && (
          <Progress label="Jobs done" done={done} of={isMore ? undefined : Math.max(done, matched)} />
        )}
        <Line>{tellState(operation)}</Line>
        <Line>
          {tellOutcomes(counts).join(' · ')}
          {link && verb !== 'delete' && (
            <>
              {' '}
              <Link href={link}>{isByFilter(args) ? 'Show what still matches' : 'Show these jobs'}</Link>
            </>
          )}
        </Line>
        <ProblemNote problem={problem} />
      </div>
    </Note>
  )
}

function isByFilter(args: unknown): boolean {
  return typeof args === 'object' && args !== null && 'filter' in args
}

const canGoOn: readonly string[] = ['stopped', 'interrupted', 'failed']

function Line({ children }: { readonly children: ReactNode }) {
  return <p>{children}</p>
}

function kindOf(
  operation: NonNullable<Json<AuditLine>['operation']>,
): 'info' | 'success' | 'warning' | 'danger' {
  if (operation.state === 'failed') return 'danger'
  if (isClean(operation)) return 'success'
  return operation.state === 'running' ? 'info' : 'warning'
}
