/**
 * MemberTests: a filter turned so that each of its subqueries stands in a test of its own, below AND and OR only.
 *
 * A test says for which truths of `IN` it is true, and is never unknown. So whatever NOT and IS stood around a subquery, what is left
 * to follow are members that make a test true or false. The filter is true for the same rows.
 */
import { invariant } from '../../base/invariant.ts';
import { isOperand, type Condition, type Subquery } from '../expression.ts';
import { negated, others, TRUE, type Truth, type Truths } from './truths.ts';

export interface MemberTest {
  readonly subquery: Subquery;
  readonly truths: Truths;
}

/** As they stand, from left to right. */
export function subqueriesIn(condition: Condition): readonly Subquery[] {
  switch (condition.kind) {
    case 'subquery':
      return [condition];
    case 'and':
    case 'or':
      return condition.parts.flatMap(subqueriesIn);
    case 'not':
    case 'isTruth':
      return subqueriesIn(condition.part);
    case 'isNull':
      return isCondition(condition.part) ? subqueriesIn(condition.part) : [];
    default:
      return [];
  }
}

export function withMemberTests(condition: Condition): Condition {
  return turned(condition, TRUE, testedFor);
}

/** True, or an error, for each row for which the filter may be so, if its subqueries select no more than what is asked about. */
export function reachOf(condition: Condition): Condition {
  return turned(condition, TRUE, (subquery, truths) => (isOf(truths, true) ? testedFor(subquery, truths) : always(true)));
}

/** The same for every row. */
export function always(value: boolean): Condition {
  return { kind: 'operand', operand: { kind: 'constant', type: 'bool', value, text: value ? 't' : 'f' } };
}

/** Undefined for a condition that is no such test. */
export function memberTestOf(condition: Condition): MemberTest | undefined {
  if (condition.kind === 'not') {
    const test = memberTestOf(condition.part);
    return test && { subquery: test.subquery, truths: others(test.truths) };
  }
  if (condition.kind !== 'isTruth' || condition.part.kind !== 'subquery') return undefined;
  return { subquery: condition.part, truths: new Set([condition.truth]) };
}

type Leaf = (subquery: Subquery, truths: Truths) => Condition;

/** A condition that is true where `condition` comes to one of `truths`. */
function turned(condition: Condition, truths: Truths, leaf: Leaf): Condition {
  if (condition.kind === 'subquery') return leaf(condition, truths);
  if (subqueriesIn(condition).length === 0) return plainFor(condition, truths);
  switch (condition.kind) {
    case 'not':
      return turned(condition.part, negated(truths), leaf);
    case 'and':
    case 'or': {
      // By De Morgan. Whether both sides together are unknown is no matter of each, and is not asked.
      invariant(truths.has(true) !== truths.has(false), 'unknown is asked of a subquery alone');
      const kind = (condition.kind === 'and') === truths.has(true) ? 'and' : 'or';
      return { kind, parts: condition.parts.map((part) => turned(part, truths, leaf)) };
    }
    case 'isTruth':
      return turned(condition.part, tested(condition.truth, truths), leaf);
    default:
      invariant(condition.kind === 'isNull' && isCondition(condition.part), 'a subquery stands in nothing else');
      return turned(condition.part, tested(null, truths), leaf);
  }
}

/** What a condition must come to, so that whether it comes to `truth` is among `truths`. */
function tested(truth: Truth, truths: Truths): Truths {
  const same: Truths = new Set([truth]);
  invariant(truths.has(true) !== truths.has(false), 'unknown is asked of a subquery alone');
  return truths.has(true) ? same : others(same);
}

function plainFor(condition: Condition, truths: Truths): Condition {
  if (isOf(truths, true)) return condition;
  return isOf(truths, false) ? { kind: 'not', part: condition } : testedFor(condition, truths);
}

function testedFor(part: Condition, truths: Truths): Condition {
  const [first = true, ...more] = truths;
  if (more.length === 0) return { kind: 'isTruth', truth: first, part };
  const [missing = true] = others(truths);
  return { kind: 'not', part: { kind: 'isTruth', truth: missing, part } };
}

function isOf(truths: Truths, only: Truth): boolean {
  return truths.size === 1 && truths.has(only);
}

function isCondition(part: Extract<Condition, { kind: 'isNull' }>['part']): part is Condition {
  return !isOperand(part);
}
