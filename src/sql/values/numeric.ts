/**
 * Numeric: Postgres's exact decimal numbers. A double would confuse neighbours, so a value is a whole number and how
 * many of its last digits are decimals. `1.0` and `1.00` are equal and yet two values, since they are written differently.
 */
import { trimEnd, trimSpace } from './white-space.ts';

export interface Numeric {
  readonly digits: bigint;
  /** How many digits are shown behind the point; never negative. */
  readonly scale: number;
  /** Set for the three values that are no numbers; they order as -1 < every number < 1 < 2, and NaN equals itself. */
  readonly special: -1 | 0 | 1 | 2;
}

/** Postgres holds no number with more digits behind the point, nor, below, before it. What has more is refused before it is calculated. */
export const SCALE_MAX = 16_383;
export const WHOLE_DIGITS_MAX = 131_072;
/** Postgres reads longer ones; nobody writes them, and they cost. */
const EXPONENT_MAX = 16_383;
const PATTERN = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,6}))?$/;
const SPECIAL = /^(?:(nan)|([+-]?)inf(?:inity)?)$/i;

/** @returns undefined when `text` is no numeric. */
export function parseNumeric(text: string): Numeric | undefined {
  const written = trimSpace(text);
  const match = PATTERN.exec(written);
  if (match === null) return parseSpecial(written);
  const [, sign, whole = '', decimals, bareDecimals, exponentText = '0'] = match;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > EXPONENT_MAX) return undefined;
  const fraction = decimals ?? bareDecimals ?? '';
  const scale = fraction.length - exponent;
  if (scale > SCALE_MAX || whole.length + exponent > WHOLE_DIGITS_MAX) return undefined;
  const digits = BigInt(`${whole}${fraction}`);
  return scaled(sign === '-' ? -digits : digits, scale);
}

export function compareNumeric(left: Numeric, right: Numeric): number {
  if (left.special !== right.special) return left.special - right.special;
  const scale = Math.max(left.scale, right.scale);
  const difference = scaledTo(left, scale) - scaledTo(right, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function isNaNumeric({ special }: Numeric): boolean {
  return special === 2;
}

/** Equal for equal numbers; the text of an integer for a whole number. */
export function canonicalNumeric(numeric: Numeric): string {
  const { digits, scale } = numeric;
  if (scale === 0) return numericText(numeric);
  const written = digits.toString();
  const zeros = digits === 0n ? scale : Math.min(scale, written.length - trimEnd(written, '0').length);
  return numericText({ ...numeric, digits: digits / 10n ** BigInt(zeros), scale: scale - zeros });
}

/** As Postgres writes it. */
export function numericText({ digits, scale, special }: Numeric): string {
  if (special === 2) return 'NaN';
  if (special !== 0) return special < 0 ? '-Infinity' : 'Infinity';
  if (scale === 0) return digits.toString();
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  return `${digits < 0n ? '-' : ''}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

function parseSpecial(text: string): Numeric | undefined {
  const match = SPECIAL.exec(text);
  if (match === null) return undefined;
  return { digits: 0n, scale: 0, special: match[1] !== undefined ? 2 : match[2] === '-' ? -1 : 1 };
}

function scaled(digits: bigint, scale: number): Numeric {
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0, special: 0 } : { digits, scale, special: 0 };
}

/** The digits of a number with as many decimals or more. */
export function scaledTo({ digits, scale }: Numeric, target: number): bigint {
  return scale === target ? digits : digits * 10n ** BigInt(target - scale);
}
