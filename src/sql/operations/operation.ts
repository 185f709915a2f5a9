/**
 * Operation: what an operator, a function or a cast does, to us and to Postgres. Which one a name means is decided by the types of its
 * arguments (`overloads.ts`); an operation knows them already.
 */
import { EvaluationError } from '../evaluation-error.ts';
import type { TypeName } from '../values/type-names.ts';
import type { Value } from '../values/values.ts';
import type { ColumnText } from '../where.ts';
import { spendOn } from '../work.ts';

/** Gives a part of a filter its value in one row; null for NULL. @throws {EvaluationError} where Postgres has an error. */
export type Reader = (text: ColumnText) => Value | null;

export interface Operation {
  /** For Postgres, in brackets where it needs some. @param args likewise. */
  sql(args: readonly string[]): string;
  compile(args: readonly Reader[]): Reader;
  /** Then a NULL that stands in the filter makes the whole NULL, and nothing beside it is worked out. */
  readonly isStrict?: true;
  /** Postgres's word for what may differ from session to session: it works none of these out before there is a row, and nor do we. */
  readonly isStable?: true;
  /** False or NULL in every row. */
  readonly isNeverTrue?: true;
}

/** One of the operations of a name. */
export interface Overload {
  readonly takes: readonly TypeName[];
  readonly gives: TypeName;
  readonly operation: Operation;
}

export type Overloads = Readonly<Record<string, readonly Overload[]>>;

type Run = (...args: readonly Value[]) => Value | null;

export function infix(sign: string, run: (left: Value, right: Value) => Value): Operation {
  return { sql: ([left = '', right = '']) => `(${left} ${sign} ${right})`, compile: strict(run), isStrict: true };
}

export function prefix(sign: string, run: (value: Value) => Value): Operation {
  return { sql: ([value = '']) => `(${sign} ${value})`, compile: strict(run), isStrict: true };
}

export function call(name: string, run: Run): Operation {
  return { sql: (args) => `${name}(${args.join(', ')})`, compile: strict(run), isStrict: true };
}

/** It depends on the session in Postgres. */
export function stable(overload: Overload): Overload {
  return { ...overload, operation: { ...overload.operation, isStable: true } };
}

/** NULL for a NULL among the arguments: `run` is asked only where there is none. */
export function strict(run: Run): Operation['compile'] {
  return (readers) => {
    const [first, second] = readers;
    if (first !== undefined && readers.length === 1) {
      return (text) => {
        const value = first(text);
        if (value === null) return null;
        spendOn(value);
        return run(value);
      };
    }
    if (first !== undefined && second !== undefined && readers.length === 2) {
      return (text) => {
        const left = first(text);
        const right = second(text);
        if (left === null || right === null) return null;
        spendOn(left);
        spendOn(right);
        return run(left, right);
      };
    }
    return (text) => {
      const values = readers.map((read) => read(text));
      const known = values.filter((value) => value !== null);
      if (known.length < values.length) return null;
      known.forEach(spendOn);
      return run(...known);
    };
  };
}

/** @throws {EvaluationError} for undefined, which stands for a value that the type does not hold. */
export function within<Result>(value: Result | undefined, error: () => EvaluationError): Result {
  if (value === undefined) throw error();
  return value;
}

export function outOfNumeric(): EvaluationError {
  return new EvaluationError('22003', 'value overflows numeric format');
}
