/**
 * EvaluationError: a filter that cannot be told of a row, as Postgres could not tell it: a division by zero, a text that is no number.
 * Postgres ends the query that meets one, so a shape whose filter does ends too; nothing is taken for false.
 */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';

  constructor(
    /** Postgres's SQLSTATE. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export function outOfRange(what: string): EvaluationError {
  return new EvaluationError('22003', `${what} out of range`);
}

export function momentOutOfRange(what: string): EvaluationError {
  return new EvaluationError('22008', `${what} out of range`);
}

export function divisionByZero(): EvaluationError {
  return new EvaluationError('22012', 'division by zero');
}
