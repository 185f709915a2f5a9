/** Rounding, and the sign of a number. Of float8 a half goes to the even neighbour, of numeric away from zero. */
import { EvaluationError } from '../evaluation-error.ts';
import { roundToEven } from '../values/float.ts';
import { addNumeric, isZero, roundNumeric, signOf, truncateNumeric } from '../values/numeric-arithmetic.ts';
import { isNaNumeric, type Numeric } from '../values/numeric.ts';
import { asNumeric } from '../values/values.ts';
import { call, outOfNumeric, within, type Overload, type Overloads } from './operation.ts';

/** Beyond these many decimals, to either side of the point, versions of Postgres differ. */
const DECIMALS_MAX = 2000;
const NOTHING: Numeric = { digits: 0n, scale: 0, special: 0 };
const ONE: Numeric = { digits: 1n, scale: 0, special: 0 };
const MINUS_ONE: Numeric = { digits: -1n, scale: 0, special: 0 };

export const ROUNDING_FUNCTIONS: Overloads = {
  round: [ofFloat('round', roundFloat), ofNumeric('round', (value) => roundNumeric(value, 0)), toDecimals('round', roundNumeric)],
  trunc: [ofFloat('trunc', Math.trunc), ofNumeric('trunc', (value) => truncateNumeric(value, 0)), toDecimals('trunc', truncateNumeric)],
  ceil: ceilings('ceil'),
  ceiling: ceilings('ceiling'),
  floor: [ofFloat('floor', Math.floor), ofNumeric('floor', (value) => beyond(value, -1))],
  sign: [ofFloat('sign', signOfFloat), ofNumeric('sign', signAsNumeric)],
};

function ceilings(name: string): readonly Overload[] {
  return [ofFloat(name, Math.ceil), ofNumeric(name, (value) => beyond(value, 1))];
}

function ofFloat(name: string, run: (value: number) => number): Overload {
  return { takes: ['float8'], gives: 'float8', operation: call(name, (value) => run(Number(value))) };
}

function ofNumeric(name: string, run: (value: Numeric) => Numeric | undefined): Overload {
  return { takes: ['numeric'], gives: 'numeric', operation: call(name, (value) => held(run(asNumeric(value)))) };
}

function toDecimals(name: string, run: (value: Numeric, decimals: number) => Numeric | undefined): Overload {
  return {
    takes: ['numeric', 'int4'], gives: 'numeric',
    operation: call(name, (value, count) => {
      const decimals = Number(count);
      if (Math.abs(decimals) > DECIMALS_MAX) throw new EvaluationError('0A000', `cannot round to more than ${DECIMALS_MAX} decimals here`);
      return held(run(asNumeric(value), decimals));
    }),
  };
}

/** Rounded up it may have one digit too many. */
function held(value: Numeric | undefined): Numeric {
  return within(value && addNumeric(value, NOTHING), outOfNumeric);
}

/** What rounds to zero keeps its sign. */
function roundFloat(value: number): number {
  return value < 0 ? -roundToEven(-value) : roundToEven(value);
}

/** NaN has none. */
function signOfFloat(value: number): number {
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

function signAsNumeric(value: Numeric): Numeric {
  return isNaNumeric(value) ? value : { digits: BigInt(signOf(value)), scale: 0, special: 0 };
}

/** The next whole number in the direction of `side`. */
function beyond(value: Numeric, side: 1 | -1): Numeric | undefined {
  const whole = truncateNumeric(value, 0);
  if (value.special !== 0) return value;
  const isBetween = !isZero(value) && signOf(value) === side && whole.digits * 10n ** BigInt(value.scale) !== value.digits;
  return isBetween ? addNumeric(whole, side === 1 ? ONE : MINUS_ONE) : whole;
}
