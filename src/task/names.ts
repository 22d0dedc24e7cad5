import type { AnyTask, Task } from './define.js'

/**
 * Say here which tasks there are, and a call by name is as typed as a call of the task, a wrong name included:
 *
 * ```ts
 * declare module 'celeriac' {
 *   interface Register {
 *     tasks: { reports: typeof reports }        // by module and export; import * as reports
 *     names: { 'mail.send': Task<{ to: string }> } // named by hand, or another app's
 *   }
 * }
 * ```
 *
 * Unsaid, every text is a name, and its payload is unknown.
 */
// biome-ignore lint/suspicious/noEmptyInterface: apps add to it
export interface Register {}

type Modules = Register extends { readonly tasks: infer Said } ? Said : never
type Named = Register extends { readonly names: infer Said } ? Said : never
type IsUnsaid = [Modules] extends [never] ? ([Named] extends [never] ? true : false) : false

/** The names by which tasks may be enqueued. */
export type TaskName = IsUnsaid extends true ? string : NameIn<Modules> | (keyof Named & string)

/** The task of a name. */
export type TaskOf<Name extends string> = IsUnsaid extends true
  ? AnyTask
  : Name extends keyof Named
    ? Named[Name]
    : TaskIn<Modules, Name>

export type InputOf<Some> = Some extends Task<infer Input, infer _Payload, infer _Result> ? Input : never
export type ResultOf<Some> = Some extends Task<infer _Input, infer _Payload, infer Result> ? Result : never

type NameIn<Said> = {
  [Module in keyof Said & string]: {
    [Export in keyof Said[Module] & string]: Said[Module][Export] extends AnyTask
      ? `${Module}.${Export}`
      : never
  }[keyof Said[Module] & string]
}[keyof Said & string]

type TaskIn<Said, Name extends string> = {
  [Module in keyof Said & string]: {
    [Export in keyof Said[Module] & string]: Name extends `${Module}.${Export}` ? Said[Module][Export] : never
  }[keyof Said[Module] & string]
}[keyof Said & string]
