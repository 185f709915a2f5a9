/** Powers: what they are of numbers that are none or infinite, and where they are an error. */
import { EvaluationError } from '../evaluation-error.ts';
import { floatPower } from '../values/float-power.ts';
import { isZero } from '../values/numeric-arithmetic.ts';
import { powerOfNumeric } from '../values/numeric-power.ts';
import { realPower } from '../values/numeric-real-power.ts';
import { compareNumeric, type Numeric } from '../values/numeric.ts';
import { asNumeric, type Value } from '../values/values.ts';
import { spend } from '../work.ts';
import { call, infix, type Overload, type Overloads } from './operation.ts';

/** Of a power between two float8, which is worked out to more digits than they have. */
const FLOAT_STEPS = 200;
/** Of one of a numeric with an exponent that is not whole. */
const REAL_STEPS = 100_000;
/** Of a whole power, by the hexadecimal digits that it has. */
const STEPS_PER_DIGIT = 8;
const EXPONENT_END = 2n ** 31n;
const SCALE_OF_NOTHING = 16;
const ONE: Numeric = { digits: 1n, scale: 0, special: 0 };
const NOTHING: Numeric = { digits: 0n, scale: 0, special: 0 };
const NAN: Numeric = { digits: 0n, scale: 0, special: 2 };

export const POWER_OPERATORS: Overloads = { '^': powers((run) => infix('^', run)) };
export const POWER_FUNCTIONS: Overloads = {
  power: powers((run) => call('power', run)),
  pow: powers((run) => call('pow', run)),
};

function powers(operation: (run: (base: Value, exponent: Value) => Value) => Overload['operation']): readonly Overload[] {
  return [
    { takes: ['float8', 'float8'], gives: 'float8', operation: operation((base, exponent) => float8Power(Number(base), Number(exponent))) },
    {
      takes: ['numeric', 'numeric'], gives: 'numeric',
      operation: operation((base, exponent) => numericPower(asNumeric(base), asNumeric(exponent))),
    },
  ];
}

function float8Power(base: number, exponent: number): number {
  if (exponent === 0 || base === 1) return 1;
  if (Number.isNaN(base) || Number.isNaN(exponent)) return NaN;
  refuseUndefined(Math.sign(base), Math.sign(exponent), Number.isInteger(exponent) || !Number.isFinite(exponent));
  if (!Number.isFinite(exponent)) {
    const size = Math.abs(base);
    return size === 1 ? 1 : size > 1 === exponent > 0 ? Infinity : 0;
  }
  if (base === 0 || !Number.isFinite(base)) return base ** exponent;
  spend(FLOAT_STEPS);
  const power = floatPower(Math.abs(base), exponent);
  if (power === undefined) throw new EvaluationError('0A000', 'a power between two float8 is not supported');
  if (power === Infinity) throw new EvaluationError('22003', 'value out of range: overflow');
  if (power === 0) throw new EvaluationError('22003', 'value out of range: underflow');
  return base < 0 && exponent % 2 !== 0 ? -power : power;
}

function numericPower(base: Numeric, exponent: Numeric): Numeric {
  if (base.special === 2) return isZero(exponent) ? ONE : NAN;
  if (exponent.special === 2) return compareNumeric(base, ONE) === 0 ? ONE : NAN;
  const whole = exponent.special === 0 ? wholeOf(exponent) : 0n;
  refuseUndefined(compareNumeric(base, NOTHING), compareNumeric(exponent, NOTHING), whole !== undefined);
  if (base.special !== 0 || exponent.special !== 0) return infinitePower(base, exponent);
  if (whole === undefined || whole >= EXPONENT_END || whole <= -EXPONENT_END) {
    if (isZero(base)) return { digits: 0n, scale: SCALE_OF_NOTHING, special: 0 };
    spend(REAL_STEPS);
    return told(base.digits > 0n ? realPower(base, exponent) : undefined);
  }
  const power = told(powerOfNumeric(base, Number(whole), exponent.scale));
  spend(power.digits.toString(16).length * STEPS_PER_DIGIT);
  return power;
}

function told(power: Numeric | 'overflow' | undefined): Numeric {
  if (power === 'overflow') throw new EvaluationError('22003', 'value overflows numeric format');
  if (power === undefined) throw inexact();
  return power;
}

/** One of them is infinite. */
function infinitePower(base: Numeric, exponent: Numeric): Numeric {
  if (compareNumeric(base, ONE) === 0 || isZero(exponent)) return ONE;
  const grows = compareNumeric(exponent, NOTHING) > 0;
  if (exponent.special !== 0) {
    const size = base.special === 0 ? compareNumeric({ ...base, digits: base.digits < 0n ? -base.digits : base.digits }, ONE) : 1;
    return size === 0 ? ONE : size > 0 === grows ? infinite(1) : NOTHING;
  }
  const isOdd = (wholeOf(exponent) ?? 0n) % 2n !== 0n;
  return grows ? infinite(base.special < 0 && isOdd ? -1 : 1) : NOTHING;
}

function infinite(sign: 1 | -1): Numeric {
  return { digits: 0n, scale: 0, special: sign };
}

/** Undefined for a number with decimals. */
function wholeOf({ digits, scale }: Numeric): bigint | undefined {
  const unit = 10n ** BigInt(scale);
  return digits % unit === 0n ? digits / unit : undefined;
}

function refuseUndefined(base: number, exponent: number, isWhole: boolean): void {
  if (base === 0 && exponent < 0) throw new EvaluationError('2201F', 'zero raised to a negative power is undefined');
  if (base < 0 && !isWhole) {
    throw new EvaluationError('2201F', 'a negative number raised to a non-integer power yields a complex result');
  }
}

function inexact(): EvaluationError {
  return new EvaluationError('0A000', 'a power that is not exact is not supported');
}
