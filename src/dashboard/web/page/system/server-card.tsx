import type { Fact, ServerPage } from '../../../api/contract.js'
import { Card } from '../../ui/card.js'
import { Meter } from '../../ui/meter.js'
import { Note } from '../../ui/note.js'
import { State } from '../../ui/state.js'
import { None, Time } from '../../ui/time.js'
import { partOf, tellFact, toneOf } from './facts.js'
import css from './system.module.css'

interface ServerCardProps {
  readonly title: string
  readonly server: ServerPage
}

/** A server as it is seen from here; what is wrong with it stands first. */
export function ServerCard({ title, server }: ServerCardProps) {
  const { kind, address, health, version, facts } = server
  const warnings = facts.filter(({ warning }) => warning !== undefined)
  return (
    <Card
      title={title}
      aside={<State state={health} />}
      note={`${kind}${version === null ? '' : ` ${version}`} at ${address}`}
    >
      <div className={css.server}>
        {health === 'down' && (
          <Note kind="danger" title="It does not answer.">
            See whether it runs and can be reached from here. Run: <code>npx celeriac check</code>
          </Note>
        )}
        {warnings.map(({ name, warning }) => (
          <Note key={name} kind="warning" title={name}>
            {warning}
          </Note>
        ))}
        <dl className={css.facts}>
          {facts.map((fact) => (
            <div key={fact.name} className={fact.warning === undefined ? undefined : css.odd}>
              <dt>{fact.name}</dt>
              <dd>
                <Value fact={fact} />
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </Card>
  )
}

function Value({ fact }: { readonly fact: Fact }) {
  const told = tellFact(fact)
  const part = partOf(fact)
  if (told === undefined) return <None />
  if (fact.unit === 'moment') return <Time at={told} />
  if (part === undefined || fact.most === undefined) return told
  return (
    <Meter part={part} tone={toneOf(part)}>
      {told} of {tellFact({ value: fact.most, unit: fact.unit })}
    </Meter>
  )
}
