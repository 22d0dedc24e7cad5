/** Thrown for an answer that is not a success. Its message is the server's, as problem+json says it. */
export class Refused extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

export async function ask(path, init) {
  const answer = await fetch(path, init).catch(() => {
    throw new Error('The shop does not answer. Is it still running?')
  })
  const body = await answer.json().catch(() => undefined)
  if (!answer.ok) throw new Refused(answer.status, explain(answer, body))
  return { answer, body }
}

function explain({ status, statusText }, problem) {
  const fields = problem?.errors?.map(({ pointer, detail }) => `${pointer.replace('#/', '')}: ${detail}`)
  return fields?.join(' · ') ?? problem?.detail ?? `The shop answered ${status} ${statusText}.`
}
