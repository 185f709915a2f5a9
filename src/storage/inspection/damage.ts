/** Damage: what does not hold in a storage directory, and what a service that is started on it does about that. */

/** By what follows, the worst first; the sentences are those of docs/storage-format.md. */
export const CONSEQUENCES = {
  directoryRefused: 'The service refuses the directory, and changes nothing in it.',
  logBegunAnew: 'The service begins a new log, drops all stored shapes, and asks Postgres for a new stream.',
  shapesDropped: 'The service drops all stored shapes; the log goes on.',
  shapeDropped: 'The service drops this shape; it is made anew when it is asked for.',
  shapeCondemned: 'The shape ends when somebody reads it: its readers get 409 and a fresh one.',
  nothingLost: 'Nothing is lost by it: nobody needs what stood there.',
} as const;

export type Consequence = keyof typeof CONSEQUENCES;

export interface Damage {
  /** What was found, with the file and the place in it, without a full stop. */
  readonly found: string;
  readonly consequence: Consequence;
  /** The shape that has it, where it is one's alone. */
  readonly handle?: string;
}

/** Text of an error, as the beginning of a sentence. */
export function claimOf(error: Error): string {
  return error.message.charAt(0).toUpperCase() + error.message.slice(1);
}
