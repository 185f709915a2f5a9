/**
 * ErrorFree: which conditions have a truth in every row, and never an error. A filter ends its shape by an error, so whoever leaves
 * out to evaluate a part of it must know that there was none to find.
 *
 * What is not known to have none is taken to have some.
 */
import { isOperand, type Condition, type Operand } from '../expression.ts';
import { isText } from '../operations/implicit-casts.ts';
import type { TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';

/** As they are printed, of `a` and `b`: whatever their values are, these have one too. */
const ERROR_FREE_OPERATIONS = new Set(['(a @> b)', '(a <@ b)', '(a && b)']);
const INTEGERS: readonly TypeName[] = ['int2', 'int4', 'int8'];

export function isErrorFree(condition: Condition): boolean {
  switch (condition.kind) {
    case 'operand':
      return hasErrorFreeValue(condition.operand);
    case 'compare':
    case 'distinct':
      return hasErrorFreeValue(condition.left, condition.type) && hasErrorFreeValue(condition.right, condition.type);
    case 'in':
      return hasErrorFreeValue(condition.left, condition.type);
    case 'like':
      return condition.cases === undefined && hasErrorFreeValue(condition.left); // A letter may be one whose case nobody knows.
    case 'subquery':
      return condition.left.every(({ operand, type }) => hasErrorFreeValue(operand, type));
    case 'and':
    case 'or':
      return condition.parts.every(isErrorFree);
    case 'not':
    case 'isTruth':
      return isErrorFree(condition.part);
    case 'isNull': {
      const { part } = condition;
      if (!isOperand(part)) return isErrorFree(part);
      return part.kind === 'column' || hasErrorFreeValue(part);
    }
  }
}

/** @param type as which it is compared. */
export function hasErrorFreeValue(operand: Operand, type: TypeName = operand.type): boolean {
  switch (operand.kind) {
    case 'constant':
      return true; // It was converted when the filter was checked.
    case 'column':
      return isErrorFreeConversion(operand.type, type);
    case 'call': {
      const isFree = ERROR_FREE_OPERATIONS.has(operand.operation.sql(['a', 'b'])) && operand.args.every((arg) => hasErrorFreeValue(arg));
      return isFree && isErrorFreeConversion(operand.type, type);
    }
    case 'truth':
      return isErrorFree(operand.condition);
  }
}

/** Inside of a family nothing is converted. */
function isErrorFreeConversion(from: TypeName, to: TypeName): boolean {
  if (VALUE_TYPES[from].family === VALUE_TYPES[to].family) return true;
  return (isText(from) && isText(to)) || (INTEGERS.includes(from) && to === 'float8');
}
