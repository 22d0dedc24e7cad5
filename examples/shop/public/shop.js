import { ask } from './ask.js'
import { followJob } from './follow.js'
import { createCard } from './job-card.js'

/** What each form sends, and what its job is called on the page. */
const kinds = {
  picture: {
    path: '/pictures',
    title: ({ picture }) => picture.name,
    request: ({ picture }) => ({
      headers: { 'Content-Type': picture.type || 'application/octet-stream' },
      body: picture,
    }),
  },
  report: {
    path: '/reports',
    title: ({ by }) => `Orders by ${by}`,
    request: (fields) => json(fields),
  },
  mail: {
    path: '/mail',
    title: ({ to }) => `Letter to ${to}`,
    request: (fields) => json(fields),
  },
}

const maxBytes = 10 * 1024 * 1024

for (const form of document.querySelectorAll('form[data-kind]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    submit(form)
  })
}
for (const { kind, title, url } of remembered()) show(kind, title, url)
acceptPictures(document.querySelector('[data-kind="picture"]'))

async function submit(form) {
  const { kind } = form.dataset
  const fields = Object.fromEntries(new FormData(form))
  const trouble = form.parentElement.querySelector('.trouble')
  const button = form.querySelector('button')
  trouble.hidden = true
  if (button) button.disabled = true
  try {
    const url = await send(kind, fields)
    const title = kinds[kind].title(fields)
    remember({ kind, title, url })
    show(kind, title, url)
  } catch (error) {
    trouble.textContent = error.message
    trouble.hidden = false
  } finally {
    if (button) button.disabled = false
  }
}

/** The job's address: where to ask how it goes. */
async function send(kind, fields) {
  if (fields.picture?.size > maxBytes) throw new Error('This picture is larger than 10 MB.')
  const { path, request } = kinds[kind]
  const { answer } = await ask(path, { method: 'POST', ...request(fields) })
  return answer.headers.get('Location')
}

function json(fields) {
  return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(fields) }
}

function show(kind, title, url) {
  const card = createCard(kind, title, url)
  document.querySelector(`[data-jobs="${kind}"]`).prepend(card.element)
  followJob(url, card)
}

/** A picture is sent as soon as it is chosen or dropped. */
function acceptPictures(form) {
  const input = form.querySelector('input')
  input.addEventListener('change', async () => {
    if (input.files.length === 0) return
    await submit(form)
    input.value = ''
  })
  for (const type of ['dragenter', 'dragover']) {
    form.addEventListener(type, (event) => {
      event.preventDefault()
      form.classList.add('over')
    })
  }
  for (const type of ['dragleave', 'drop']) form.addEventListener(type, () => form.classList.remove('over'))
  form.addEventListener('drop', (event) => {
    event.preventDefault()
    if (event.dataTransfer.files.length === 0) return
    input.files = event.dataTransfer.files
    input.dispatchEvent(new Event('change'))
  })
}

/** Jobs live in the store, so that a page that is loaded again only needs their addresses. */
function remembered() {
  return JSON.parse(sessionStorage.getItem('jobs') ?? '[]')
}

function remember(job) {
  sessionStorage.setItem('jobs', JSON.stringify([...remembered(), job].slice(-12)))
}
