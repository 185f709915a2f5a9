/** ServiceLogger: a logger of the program around the service. It stands apart, so that its type leads to no package. */

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** A logger of a program's own, as pino makes them: fields first, then what happened. */
export interface ServiceLogger extends Readonly<Record<Level, (fields: object, message: string) => void>> {
  /** What is below it is not made in the first place; everything is given where it is left out or not known. */
  readonly level?: string;
}
