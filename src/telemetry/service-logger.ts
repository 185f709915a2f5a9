/** ServiceLogger: a logger of the program around the service. It stands apart, so that its type leads to no package. */

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Writes one line: fields first, then what happened. */
export type WriteLine = (fields: object, message: string) => void;

/** A logger of a program's own, as pino makes them. */
export interface ServiceLogger extends Readonly<Record<Level, WriteLine>> {
  /** Of more than anybody wants to know. */
  readonly trace: WriteLine;
  /** Of what each process does. */
  readonly debug: WriteLine;
  /** Of what an operator wants to have read afterwards. */
  readonly info: WriteLine;
  /** Of what went wrong, and heals by itself. */
  readonly warn: WriteLine;
  /** Of what somebody must do something about. */
  readonly error: WriteLine;
  /** Of an end; the service writes none. */
  readonly fatal: WriteLine;
  /** What is below it is not made in the first place; everything is given where it is left out or not known. */
  readonly level?: string;
}
