import css from './waiting.module.css'

/** In the place of what is not there yet. It keeps about the height that is to come, so that nothing jumps. */
export function Waiting({ height = 160 }: { readonly height?: number }) {
  return (
    <div className={css.waiting} style={{ minHeight: height }} role="status" data-waiting>
      <span className="hidden-but-read">Loading</span>
    </div>
  )
}
