/** A request that the shop does not take. The message is for whoever sent it. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Refusal'
    this.status = status
  }
}
