/**
 * Older versions of Postgres: where one gives another result than those that came after it, the operation has the error that the version
 * has, or is refused.
 */
import { EvaluationError } from '../evaluation-error.ts';
import type { Operation, Overload } from '../operations/operation.ts';
import { POWER_FUNCTIONS, POWER_OPERATORS } from '../operations/powers.ts';
import { isText } from '../operations/implicit-casts.ts';
import { isInfiniteInterval } from '../values/interval.ts';
import type { TypeName } from '../values/type-names.ts';
import { asInterval } from '../values/values.ts';

const INFINITE_INTERVALS_SINCE = 17;
const POWERS_SINCE = 16;
const INTERVAL_FRACTIONS_SINCE = 15;
const POWERS: ReadonlySet<Overload> = new Set([POWER_OPERATORS, POWER_FUNCTIONS].flatMap((table) => Object.values(table).flat()));

/** @returns a text that says why the operation is not taken. @param version of Postgres; undefined for one that has no later one. */
export function inVersion(overload: Overload, version = Infinity): Overload | string {
  if (version < POWERS_SINCE && overload.gives === 'numeric' && POWERS.has(overload)) {
    return `powers of numeric have other digits in Postgres ${version} than in newer versions, and are not supported`;
  }
  if (version >= INFINITE_INTERVALS_SINCE || overload.gives !== 'interval') return overload;
  return { ...overload, operation: finite(overload.operation) };
}

/** Likewise, of a cast. */
export function castDiffers(from: TypeName, to: TypeName, version = Infinity): boolean {
  return version < INTERVAL_FRACTIONS_SINCE && isText(from) && to === 'interval';
}

/** There is no infinite interval: what would give one is an error. */
function finite(operation: Operation): Operation {
  return {
    ...operation,
    compile: (args) => {
      const read = operation.compile(args);
      return (text) => {
        const value = read(text);
        if (value !== null && isInfiniteInterval(asInterval(value))) throw new EvaluationError('22008', 'interval out of range');
        return value;
      };
    },
  };
}
