/**
 * Work: what one evaluation of a filter may cost, all of its parts together. Postgres would go on; here all other shapes would wait.
 *
 * It is counted and not timed, so a row has the same fate on every machine. Whoever walks through long values spends what that takes, in
 * steps of some fifty nanoseconds; outside of an evaluation nothing is counted.
 */
import { EvaluationError } from './evaluation-error.ts';
import type { Value } from './values/values.ts';

/** About a second. */
const STEPS_MAX = 20_000_000;
/** Read by an operation in the time of a step; what has no more is no matter. */
const CHARACTERS_AT_ONCE = 2;
const SHORT_CHARACTERS_MAX = 100;
const STEPS_PER_ITEM = 4;
/** One text takes no more: what is longer has long pieces, which are read faster. */
const STEPS_OF_TEXT_MAX = STEPS_MAX / 10;
/** A number of more digits takes so many steps. */
const LONG_NUMBER = 10n ** 1000n;
const LONG_NUMBER_STEPS = 20_000;
const TOO_MUCH = 'a filter has too much to do in one row';

/** Of the evaluation that is under way. */
let stepsLeft = Infinity;
let evaluationNumber = 0;
let spentBefore = 0;

/** Asks one row. What is asked within that has what it has left. */
export function withinBounds<First, Second, Result>(run: (first: First, second: Second) => Result): typeof run {
  return (first, second) => {
    if (stepsLeft !== Infinity) return run(first, second);
    stepsLeft = STEPS_MAX;
    evaluationNumber += 1;
    try {
      return run(first, second);
    } finally {
      spentBefore += STEPS_MAX - Math.max(0, stepsLeft);
      stepsLeft = Infinity;
    }
  };
}

/** By all evaluations that have ended. An evaluation that only reads short values spends none. */
export function stepsSpent(): number {
  return spentBefore;
}

/** Names the evaluation that is under way, or was the last one. */
export function currentEvaluation(): number {
  return evaluationNumber;
}

/** @param what is told when no more are left. @throws {EvaluationError} then. */
export function spend(steps: number, what = TOO_MUCH): void {
  stepsLeft -= steps;
  if (stepsLeft < 0) throw new EvaluationError('54000', what);
}

/** For a text that was put together. */
export function spentOn(text: string): string {
  spend(Math.min(text.length, STEPS_OF_TEXT_MAX));
  return text;
}

/** For an operation that reads all of a value. A short one costs no more than the operation itself. */
export function spendOn(value: Value): void {
  if (typeof value === 'string') {
    if (value.length > SHORT_CHARACTERS_MAX) spend(Math.min(value.length / CHARACTERS_AT_ONCE, STEPS_OF_TEXT_MAX));
  } else if (typeof value === 'object') {
    if ('items' in value) spend(value.items.length * STEPS_PER_ITEM);
    if ('digits' in value && (value.digits > LONG_NUMBER || value.digits < -LONG_NUMBER)) spend(LONG_NUMBER_STEPS);
  }
}
