import { Link } from 'wouter'
import type { AuditLine } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import css from './audit.module.css'
import { sentenceOf } from './tell.js'

/** What somebody did, with links to what it is about. */
export function Sentence({ line }: { readonly line: Json<AuditLine> }) {
  return (
    <span className={css.sentence}>
      {sentenceOf(line).map((part) =>
        typeof part === 'string' ? (
          part
        ) : (
          <Link key={part.to} href={part.to}>
            {part.text}
          </Link>
        ),
      )}
    </span>
  )
}
