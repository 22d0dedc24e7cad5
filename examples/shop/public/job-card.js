import { ask } from './ask.js'
import { outcomes } from './outcomes.js'

/** One job on the page. `show` takes its status as often as one likes. */
export function createCard(kind, title, url) {
  const element = document.getElementById('job').content.firstElementChild.cloneNode(true)
  const find = (selector) => element.querySelector(selector)
  const [bar, note, trouble, cancel] = ['progress', '.note', '.trouble', 'button'].map(find)
  find('h3').textContent = title
  find('a').href = url
  bar.setAttribute('aria-label', `Progress of ${title}`)
  cancel.setAttribute('aria-label', `Cancel ${title}`)
  cancel.addEventListener('click', () => {
    cancel.disabled = true
    ask(url, { method: 'DELETE' }).catch((error) => showTrouble(error.message))
  })
  return { element, show, showTrouble }

  function show(status) {
    const hasEnded = status.finishedAt !== null
    element.dataset.state = status.state
    element.dataset.waitingFor = status.waitingFor ?? ''
    setText(find('.state'), status.state)
    setText(note, describe(status))
    showBar(status, hasEnded)
    showAttempts(find('.attempts'), status)
    showTrouble(status.state === 'failed' ? `Failed: ${status.error?.message}` : '')
    cancel.hidden = hasEnded
    if (status.state === 'succeeded')
      find('.outcome').replaceChildren(...outcomes[kind](status.result, title))
  }

  function showBar({ progress, state }, hasEnded) {
    bar.hidden = hasEnded || state === 'retrying'
    if (state === 'running' && typeof progress?.percent !== 'number') bar.removeAttribute('value')
    else bar.value = progress?.percent ?? 0
  }

  function showTrouble(message) {
    setText(trouble, message)
    trouble.hidden = message === ''
  }
}

/** Setting the same text again would make screen readers say it again. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

function describe(status) {
  if (status.waitingFor === 'worker') {
    return `No worker serves the queue "${status.queue}". Run: node dist/cli/main.js worker -A examples/shop -Q default,mail`
  }
  if (status.cancelRequested) return 'Stopping …'
  const { percent, note = '' } = status.progress ?? {}
  const texts = {
    scheduled: 'Waits for its time',
    queued: 'Waits for a worker',
    running: percent === undefined ? capital(note) : `${percent} % · ${note}`,
    retrying: `Waits for its next attempt, of ${status.maxAttempts} at most`,
    succeeded: `Done in ${seconds(status.createdAt, status.finishedAt)}`,
  }
  return texts[status.state] ?? ''
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function seconds(from, to) {
  return `${((new Date(to) - new Date(from)) / 1000).toFixed(1)} s`
}

/** Past attempts that went wrong, and the one that goes on or was the last. */
function showAttempts(list, { attempts, attempt, state, error }) {
  const lines = attempts.map((past) => `${past.outcome}: ${past.error?.message ?? 'its worker went away'}`)
  const current = { running: 'running', succeeded: 'succeeded', failed: `failed: ${error?.message}` }[state]
  if (current && attempt > lines.length) lines.push(current)
  list.hidden = attempts.length === 0
  if (list.children.length === lines.length && list.lastChild?.textContent === lines.at(-1)) return
  list.replaceChildren(...lines.map(toLine))
}

function toLine(text) {
  const line = document.createElement('li')
  line.textContent = text
  return line
}
