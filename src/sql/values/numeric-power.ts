/**
 * Powers of numerics with whole exponents, with as many decimals as Postgres 16 and newer give: sixteen significant digits, and no
 * fewer decimals than either side has. Postgres rounds on the way; so a power that lies too near to the middle between two of its
 * results, or has too many digits to be known whole, is not told.
 */
import { divideRounded, isZero, roundNumeric } from './numeric-arithmetic.ts';
import { WHOLE_DIGITS_MAX, type Numeric } from './numeric.ts';
import { roundedPower } from './numeric-real-power.ts';

const GROUP_DIGITS = 4;
/** Postgres estimates the size of a result by so many digits of the base. */
const ESTIMATED_DIGITS = 16;
const SIGNIFICANT_DIGITS = 16;
const SCALE_MAX = 1000;
/** Of the power before it is rounded. */
const DIGITS_MAX = 200_000;
/** Postgres works with eight digits more than it shows. */
const GUARD_DIGITS = 6;
/** So many decimals more than are shown it keeps whole. */
const KEPT_DIGITS = 4;

/** @returns `overflow` where a numeric cannot be so large; undefined for a power that is not told. */
export function powerOfNumeric(base: Numeric, exponent: number, exponentScale: number): Numeric | 'overflow' | undefined {
  const weight = exponent * logarithmOf(base);
  if (weight > WHOLE_DIGITS_MAX + GROUP_DIGITS) return 'overflow';
  if (weight + 1 < -SCALE_MAX) return { digits: 0n, scale: SCALE_MAX, special: 0 };
  const scale = Math.min(SCALE_MAX, Math.max(SIGNIFICANT_DIGITS - Math.trunc(weight), base.scale, exponentScale, 0));
  if (isZero(base)) return { digits: exponent === 0 ? 10n ** BigInt(scale) : 0n, scale, special: 0 };
  const digits = base.digits.toString().length;
  if (digits * Math.abs(exponent) > DIGITS_MAX) return estimated(base, exponent, scale, weight);
  const whole = base.digits ** BigInt(Math.abs(exponent));
  const power = exponent >= 0
    ? { digits: whole, scale: base.scale * exponent, special: 0 } as const
    : inverse(whole, base.scale * -exponent, scale + GUARD_DIGITS + KEPT_DIGITS);
  const rounded = roundNumeric(power, scale);
  if (rounded.digits.toString().length - scale > WHOLE_DIGITS_MAX) return 'overflow';
  return isCertain(power, scale) ? rounded : undefined;
}

/** Of which not all digits are calculated. */
function estimated(base: Numeric, exponent: number, scale: number, weight: number): Numeric | undefined {
  const size = { ...base, digits: base.digits < 0n ? -base.digits : base.digits };
  const exactly = { digits: BigInt(exponent), scale: 0, special: 0 } as const;
  const power = roundedPower(size, exactly, scale, Math.trunc(weight), 10 ** -GUARD_DIGITS);
  return base.digits < 0n && exponent % 2 !== 0 ? power && { ...power, digits: -power.digits } : power;
}

/** Of base 10, as Postgres estimates it; 0 for zero. */
function logarithmOf({ digits, scale }: Numeric): number {
  if (digits === 0n) return 0;
  const text = (digits < 0n ? -digits : digits).toString();
  const weight = Math.floor((text.length - scale - 1) / GROUP_DIGITS);
  const leading = text.length - scale - weight * GROUP_DIGITS;
  const groups = Math.ceil((text.replace(/0+$/, '').length - leading) / GROUP_DIGITS);
  const taken = Math.min(leading + Math.max(0, groups) * GROUP_DIGITS, leading + ESTIMATED_DIGITS - GROUP_DIGITS);
  const mantissa = text.slice(0, taken).padEnd(taken, '0');
  const shift = weight * GROUP_DIGITS - (taken - leading);
  return (/^10*$/.test(mantissa) ? mantissa.length - 1 : Math.log10(Number(mantissa))) + shift;
}

/** One divided by `digits`, of which `scale` are decimals. */
function inverse(digits: bigint, scale: number, decimals: number): Numeric {
  return { digits: divideRounded(10n ** BigInt(scale + decimals), digits), scale: decimals, special: 0 };
}

/** Whether what Postgres leaves away on the way cannot change the last digit. */
function isCertain({ digits, scale }: Numeric, shown: number): boolean {
  const excess = scale - shown;
  if (excess <= KEPT_DIGITS) return true;
  const unit = 10n ** BigInt(excess);
  const rest = (digits < 0n ? -digits : digits) % unit;
  const distance = 2n * rest - unit;
  return (distance < 0n ? -distance : distance) * 10n ** BigInt(GUARD_DIGITS) > unit;
}
