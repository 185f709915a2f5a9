/**
 * Powers of numerics with any exponent, by logarithms, as Postgres calculates them: with sixteen significant digits, and no fewer decimals
 * than either side has. It works with eight digits more and rounds on the way; here the power is known to more digits than that. So where
 * it lies nearer to the middle between two results than what Postgres can be off by, it is not told.
 */
import { compareNumeric, type Numeric } from './numeric.ts';
import { divideRounded } from './numeric-arithmetic.ts';
import { naturalLogarithm, naturalPower } from './fixed-point.ts';

const GROUP_DIGITS = 4;
const SIGNIFICANT_DIGITS = 16;
const SCALE_MAX = 1000;
/** A power of e beyond this is too large, or nothing. */
const EXPONENT_MAX = 6000;
const GUARD_DIGITS = 8;
/** So many significant digits of a result are calculated. */
const DIGITS_MAX = 1200;
/** Beyond those of the result, and those that the exponent takes. */
const OWN_GUARD_DIGITS = 20;
const BITS_PER_DIGIT = 3.33;
/** Of a last digit, behind which the middle is looked for. */
const FRACTION_BITS = 40n;
const LOG10_E = 0.434294481903252;
const LN_10 = 2.302585092994046;

/**
 * @param base positive.
 * @returns `overflow` where Postgres has no number so large; undefined for a power that is not told.
 */
export function realPower(base: Numeric, exponent: Numeric): Numeric | 'overflow' | undefined {
  const lnWeight = logarithmWeight(base);
  const [estimate = 0, other = estimate] = estimatedExponents(base, exponent, Math.max(0, GUARD_DIGITS - lnWeight));
  const weight = Math.trunc(estimate * LOG10_E);
  if (weight !== Math.trunc(other * LOG10_E) || Math.abs(Math.abs(estimate) - EXPONENT_MAX) < 1e-3) return undefined;
  const scale = Math.min(SCALE_MAX, Math.max(SIGNIFICANT_DIGITS - weight, base.scale, exponent.scale, 0));
  if (Math.abs(estimate) > EXPONENT_MAX) return estimate > 0 ? 'overflow' : { digits: 0n, scale, special: 0 };
  return roundedPower(base, exponent, scale, weight, uncertainty(exponent, lnWeight));
}

/**
 * @param base positive.
 * @param scale decimals of the result.
 * @param weight about how many digits it has before the point.
 * @param offMax what Postgres can be off by, in last digits of the result.
 * @returns undefined where that could make another result of it, or where it has too many digits.
 */
export function roundedPower(base: Numeric, exponent: Numeric, scale: number, weight: number, offMax: number): Numeric | undefined {
  const significant = Math.max(0, scale + weight);
  const exponentDigits = Math.max(0, sizeOf(exponent).length - exponent.scale);
  if (significant > DIGITS_MAX || exponentDigits > DIGITS_MAX) return undefined;
  const bits = BigInt(Math.ceil((significant + exponentDigits + OWN_GUARD_DIGITS) * BITS_PER_DIGIT));
  const logarithm = naturalLogarithm(base.digits, 10n ** BigInt(base.scale), bits);
  const { mantissa, doublings } = naturalPower((logarithm * exponent.digits) / 10n ** BigInt(exponent.scale), bits);
  const shown = shifted(mantissa * 10n ** BigInt(scale), doublings - bits + FRACTION_BITS);
  if (isNearMiddle(shown, offMax)) return undefined;
  return { digits: (shown + (1n << (FRACTION_BITS - 1n))) >> FRACTION_BITS, scale, special: 0 };
}

/** The place of its first digit, as Postgres estimates it. */
function logarithmWeight(base: Numeric): number {
  const isNearOne = compareNumeric(base, { digits: 9n, scale: 1, special: 0 }) >= 0
    && compareNumeric(base, { digits: 11n, scale: 1, special: 0 }) <= 0;
  if (isNearOne) {
    const distance = sizeOf({ ...base, digits: base.digits - 10n ** BigInt(base.scale) });
    return distance === '0' ? 0 : distance.length - base.scale - 1;
  }
  const text = sizeOf(base);
  const leading = text.length - base.scale - Math.floor((text.length - base.scale - 1) / GROUP_DIGITS) * GROUP_DIGITS;
  const taken = leading + GROUP_DIGITS;
  const places = text.length - base.scale - taken;
  return Math.trunc(Math.log10(Math.abs(Math.log(Number(text.slice(0, taken).padEnd(taken, '0'))) + places * LN_10)));
}

/** The exponent times the logarithm of the base, both with so many decimals: two of them where the last decimal is not certain. */
function estimatedExponents(base: Numeric, exponent: Numeric, decimals: number): readonly number[] {
  const bits = BigInt(Math.ceil((decimals + OWN_GUARD_DIGITS) * BITS_PER_DIGIT));
  const exact = shifted(naturalLogarithm(base.digits, 10n ** BigInt(base.scale), bits) * 10n ** BigInt(decimals), FRACTION_BITS - bits);
  const below = exact >> FRACTION_BITS;
  const isUncertain = isNearMiddle(exact < 0n ? -exact : exact, 1e-4);
  return (isUncertain ? [below, below + 1n] : [divideRounded(exact, 1n << FRACTION_BITS)]).map((logarithm) => {
    return Number(divideRounded(logarithm * exponent.digits, 10n ** BigInt(exponent.scale))) / 10 ** decimals;
  });
}

/** What Postgres can be off by, in last digits of the result. */
function uncertainty(exponent: Numeric, lnWeight: number): number {
  const factor = Math.abs(Number(exponent.digits)) / 10 ** exponent.scale;
  return 20 * ((factor + 1) * 10 ** (lnWeight - GUARD_DIGITS) + 10 ** -GUARD_DIGITS);
}

function isNearMiddle(value: bigint, distance: number): boolean {
  const one = 1n << FRACTION_BITS;
  return Math.abs(Number(2n * (value % one) - one)) <= 2 * distance * Number(one);
}

function shifted(value: bigint, bits: bigint): bigint {
  return bits >= 0n ? value << bits : value >> -bits;
}

function sizeOf({ digits }: Numeric): string {
  return (digits < 0n ? -digits : digits).toString();
}
