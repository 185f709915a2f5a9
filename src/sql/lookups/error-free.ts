/**
 * ErrorFree: which conditions have a truth in every row, and never an error. A filter ends its shape by an error, so whoever leaves
 * out to evaluate a part of it must know that there was none to find.
 *
 * What is not known to have none is taken to have some.
 */
import { isOperand, type Condition, type Operand } from '../expression.ts';
import type { TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';

/** As they are printed, of `a` and `b`: whatever their values are, these have one too. */
const ERROR_FREE_OPERATIONS = new Set(['(a @> b)', '(a <@ b)', '(a && b)']);

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
      return true;
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

/** @param type as which it is compared: only inside of a family that takes no conversion. */
export function hasErrorFreeValue(operand: Operand, type: TypeName = operand.type): boolean {
  switch (operand.kind) {
    case 'constant':
      return true; // It was converted when the filter was checked.
    case 'column':
      return VALUE_TYPES[operand.type].family === VALUE_TYPES[type].family;
    case 'call':
      return ERROR_FREE_OPERATIONS.has(operand.operation.sql(['a', 'b'])) && operand.args.every((arg) => hasErrorFreeValue(arg));
    case 'truth':
      return isErrorFree(operand.condition);
  }
}
