/**
 * SafeSides: the left sides that Postgres has a value of in every row. About others it is not asked alone: in the filter something may
 * stand before them that keeps them from rows in which they have an error.
 */
import type { Operand, Subquery } from '../expression.ts';
import { hasErrorFreeValue } from '../lookups/error-free.ts';

/** As they are printed of `a` and `b`. */
const ALWAYS_WORKED_OUT = new Set([
  'lower(a COLLATE "C")', 'upper(a COLLATE "C")', 'btrim(a)', 'coalesce(a, b)', 'NULLIF(a, b)', '(a)::text', '(a)::varchar',
]);

export function hasSafeSide({ left }: Subquery): boolean {
  return left.every(({ operand, type }) => hasErrorFreeValue(operand, type) || (operand.type === type && isWorkedOut(operand)));
}

function isWorkedOut(operand: Operand): boolean {
  if (operand.kind !== 'call') return hasErrorFreeValue(operand);
  return ALWAYS_WORKED_OUT.has(operand.operation.sql(['a', 'b'])) && operand.args.every(isWorkedOut);
}
