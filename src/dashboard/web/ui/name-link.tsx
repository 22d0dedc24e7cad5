import { Link } from 'wouter'
import { Cut, type CutProps } from './cut.js'

interface NameLinkProps {
  readonly kind: 'task' | 'queue' | 'worker' | 'job'
  /** Of a worker also its id. */
  readonly name: string
  /** What is seen. Default: the name. */
  readonly children?: string
}

/** The page of something that has a name. */
export function NameLink({ kind, name, children = name }: NameLinkProps) {
  return <Link href={`/${kind}s/${encodeURIComponent(name)}`}>{children}</Link>
}

/** The same in a cell. */
export function CutLink({
  kind,
  name,
  room = 'short',
}: Pick<NameLinkProps, 'kind' | 'name'> & Pick<CutProps, 'room'>) {
  return (
    <Cut text={name} room={room}>
      <NameLink kind={kind} name={name} />
    </Cut>
  )
}

/** Several of them, by commas. */
export function NameLinks({
  kind,
  names,
}: Pick<NameLinkProps, 'kind'> & { readonly names: readonly string[] }) {
  return names.map((name, at) => (
    <span key={name}>
      {at > 0 && ', '}
      <NameLink kind={kind} name={name} />
    </span>
  ))
}
