/**
 * Arithmetic of numerics: exact, but for a quotient, which has as many digits as Postgres gives it. How many are shown behind the point
 * is part of each result.
 */
import { compareNumeric, scaledTo, SCALE_MAX, WHOLE_DIGITS_MAX, type Numeric } from './numeric.ts';

/** Postgres keeps four decimal digits together; how precise a quotient is depends on where its groups begin. */
const GROUP_DIGITS = 4;
const QUOTIENT_DIGITS_MIN = 16;
const QUOTIENT_SCALE_MAX = 1000;

const NAN: Numeric = { digits: 0n, scale: 0, special: 2 };

/** The functions give undefined where the result is larger than a numeric can be. */
export function addNumeric(left: Numeric, right: Numeric): Numeric | undefined {
  if (left.special !== 0 || right.special !== 0) return specialSum(left.special, right.special);
  const scale = Math.max(left.scale, right.scale);
  return held(scaledTo(left, scale) + scaledTo(right, scale), scale);
}

export function subtractNumeric(left: Numeric, right: Numeric): Numeric | undefined {
  return addNumeric(left, negateNumeric(right));
}

export function multiplyNumeric(left: Numeric, right: Numeric): Numeric | undefined {
  if (left.special !== 0 || right.special !== 0) return specialProduct(left, right);
  const product = { digits: left.digits * right.digits, scale: left.scale + right.scale, special: 0 } as const;
  const { digits, scale } = roundNumeric(product, Math.min(product.scale, SCALE_MAX));
  return held(digits, scale);
}

/** @param right not zero. */
export function divideNumeric(left: Numeric, right: Numeric): Numeric | undefined {
  if (left.special === 2 || right.special === 2) return NAN;
  if (left.special !== 0) return right.special === 0 ? infinite(left.special * signOf(right)) : NAN;
  if (right.special !== 0) return { digits: 0n, scale: 0, special: 0 };
  const scale = quotientScale(left, right);
  const shift = scale - left.scale + right.scale;
  const [dividend, divisor] = shift >= 0
    ? [left.digits * 10n ** BigInt(shift), right.digits]
    : [left.digits, right.digits * 10n ** BigInt(-shift)];
  return held(divideRounded(dividend, divisor), scale);
}

/** @param right not zero. The remainder has the sign of the dividend. */
export function remainderNumeric(left: Numeric, right: Numeric): Numeric | undefined {
  if (left.special !== 0 || right.special === 2) return NAN;
  if (right.special !== 0) return left;
  const scale = Math.max(left.scale, right.scale);
  return held(scaledTo(left, scale) % scaledTo(right, scale), scale);
}

export function negateNumeric(numeric: Numeric): Numeric {
  if (numeric.special === 2) return numeric;
  return numeric.special === 0 ? { ...numeric, digits: -numeric.digits } : infinite(-numeric.special);
}

export function isZero({ digits, special }: Numeric): boolean {
  return special === 0 && digits === 0n;
}

/** Half away from zero. @param scale below zero for whole tens, hundreds and so on. */
export function roundNumeric(numeric: Numeric, scale: number): Numeric {
  return cut(numeric, scale, divideRounded);
}

/** Towards zero. @param scale likewise. */
export function truncateNumeric(numeric: Numeric, scale: number): Numeric {
  return cut(numeric, scale, (digits, unit) => digits / unit);
}

function cut(numeric: Numeric, scale: number, divide: (digits: bigint, unit: bigint) => bigint): Numeric {
  if (numeric.special !== 0) return numeric;
  if (scale >= numeric.scale) return { digits: scaledTo(numeric, scale), scale, special: 0 };
  const digits = divide(numeric.digits, 10n ** BigInt(numeric.scale - scale));
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0, special: 0 } : { digits, scale, special: 0 };
}

/** Rounded to so many significant digits, a half to the even one. */
export function significant({ digits, scale }: Numeric, count: number): Numeric {
  const dropped = (digits < 0n ? -digits : digits).toString().length - count;
  if (dropped <= 0) return { digits, scale, special: 0 };
  const unit = 10n ** BigInt(dropped);
  const rest = digits % unit;
  const isTie = 2n * (rest < 0n ? -rest : rest) === unit;
  const even = (digits / unit) % 2n === 0n;
  const rounded = isTie && even ? digits / unit : divideRounded(digits, unit);
  return scale < dropped
    ? { digits: rounded * 10n ** BigInt(dropped - scale), scale: 0, special: 0 }
    : { digits: rounded, scale: scale - dropped, special: 0 };
}

/** Half away from zero. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  const isHalf = 2n * (rest < 0n ? -rest : rest) >= (divisor < 0n ? -divisor : divisor);
  return isHalf ? quotient + (dividend < 0n === divisor < 0n ? 1n : -1n) : quotient;
}

/** At least 16 significant digits, counted in groups, and no fewer decimals than either side has. */
function quotientScale(left: Numeric, right: Numeric): number {
  const [dividend, divisor] = [leadingGroup(left), leadingGroup(right)];
  const weight = dividend.weight - divisor.weight - (dividend.group <= divisor.group ? 1 : 0);
  const wanted = Math.max(QUOTIENT_DIGITS_MIN - weight * GROUP_DIGITS, left.scale, right.scale, 0);
  return Math.min(wanted, QUOTIENT_SCALE_MAX);
}

/** The first group of digits that is not zero, and how many groups lie between it and the point. */
function leadingGroup({ digits, scale }: Numeric): { readonly weight: number; readonly group: number } {
  if (digits === 0n) return { weight: 0, group: 0 };
  const text = (digits < 0n ? -digits : digits).toString();
  const weight = Math.floor((text.length - scale - 1) / GROUP_DIGITS);
  const size = text.length - scale - weight * GROUP_DIGITS;
  return { weight, group: Number(text.slice(0, size).padEnd(size, '0')) };
}

function specialSum(left: Numeric['special'], right: Numeric['special']): Numeric {
  if (left === 2 || right === 2 || left + right === 0) return NAN;
  return infinite(left === 0 ? right : left);
}

function specialProduct(left: Numeric, right: Numeric): Numeric {
  const sign = signOf(left) * signOf(right);
  return left.special === 2 || right.special === 2 || sign === 0 ? NAN : infinite(sign);
}

function infinite(sign: number): Numeric {
  return { digits: 0n, scale: 0, special: sign < 0 ? -1 : 1 };
}

export function signOf(numeric: Numeric): number {
  return Math.sign(compareNumeric(numeric, { digits: 0n, scale: 0, special: 0 }));
}

function held(digits: bigint, scale: number): Numeric | undefined {
  const whole = digits.toString().length - scale - (digits < 0n ? 1 : 0);
  return whole > WHOLE_DIGITS_MAX ? undefined : { digits, scale, special: 0 };
}
