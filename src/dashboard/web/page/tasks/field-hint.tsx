import { hintOf, isWrong, type Placed } from './field-words.js'
import css from './payload-form.module.css'

/** What is wrong with a field, or what may stand in it. */
export function FieldHint(props: Placed) {
  const hint = hintOf(props)
  if (hint === undefined) return null
  return <p className={isWrong(props) ? css.wrong : css.hint}>{hint}</p>
}
