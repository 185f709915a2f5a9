/**
 * Floating point as Postgres reads and writes it: the shortest digits that mean the value, and a text rounded once, also to single
 * precision, which JavaScript has only by way of double precision.
 */
import { significant } from './numeric-arithmetic.ts';
import { compareNumeric, numericText, parseNumeric, scaledTo, type Numeric } from './numeric.ts';
import { trimSpace } from './white-space.ts';

const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const SPECIALS: ReadonlyMap<string, number> = new Map([
  ['nan', NaN], ['inf', Infinity], ['+inf', Infinity], ['infinity', Infinity], ['+infinity', Infinity], ['-inf', -Infinity],
  ['-infinity', -Infinity],
]);
/** The exponents from which on a number is written with one. */
const EXPONENT_FROM = { float4: 6, float8: 15 };
const DIGITS_MAX = { float4: 9, float8: 17 };
const FLOAT4_SMALLEST = 2 ** -149;

type FloatSize = keyof typeof DIGITS_MAX;

/** @returns undefined when `text` is no number, or one that is too large or too small: Postgres refuses it. */
export function parseFloat8(text: string): number | undefined {
  return parse(text, Number);
}

export function parseFloat4(text: string): number | undefined {
  return parse(text, float4Of);
}

export function float8Text(value: number): string {
  return specialText(value) ?? written(shortest(value, 'float8'), EXPONENT_FROM.float8);
}

export function float4Text(value: number): string {
  return specialText(value) ?? written(shortest(value, 'float4'), EXPONENT_FROM.float4);
}

/**
 * The fewest digits that lie nearer to the value than to any other; not in the middle between two, which JavaScript takes for the
 * value where a tie is rounded to it.
 */
function shortest(value: number, size: FloatSize): string {
  if (size === 'float8') {
    const text = value.toExponential();
    if (isNearest(text, value, size)) return text;
  }
  for (let digits = 1; digits < DIGITS_MAX[size]; digits += 1) {
    const found = nearby(value, digits).find((text) => isNearest(text, value, size));
    if (found !== undefined) return found;
  }
  return value.toExponential(DIGITS_MAX[size] - 1);
}

/** The number with so many digits that is closest to `value`, and its neighbours: at a power of two the one below may be too far. */
function nearby(value: number, digits: number): readonly string[] {
  const closest = significant(exactly(value), digits);
  const shown = (closest.digits < 0n ? -closest.digits : closest.digits).toString().length;
  const step = 10n ** BigInt(Math.max(0, shown - digits));
  return [0n, -step, step].map((away) => {
    return Number(numericText({ ...closest, digits: closest.digits + away })).toExponential(digits - 1);
  });
}

function isNearest(text: string, value: number, size: FloatSize): boolean {
  const number = Number(text);
  if ((size === 'float4' ? Math.fround(number) : number) !== value) return false;
  const exact = parseNumeric(text);
  return exact !== undefined && [true, false].every((above) => compareNumeric(exact, middle(value, above, size)) !== 0);
}

/** Between a value and the next one above or below it. */
function middle(value: number, above: boolean, size: FloatSize): Numeric {
  const next = neighbour(value, above, size);
  const other = Number.isFinite(next) ? exactly(next) : farther(value, neighbour(value, !above, size));
  const [left, right] = [exactly(value), other];
  const scale = Math.max(left.scale, right.scale);
  return { digits: (scaledTo(left, scale) + scaledTo(right, scale)) * 5n, scale: scale + 1, special: 0 };
}

/** As far beyond the largest value as the one before it lies below. */
function farther(value: number, before: number): Numeric {
  return { ...exactly(value), digits: 2n * exactly(value).digits - exactly(before).digits };
}

/** The float4 next to the number that `text` writes; Infinity beyond the largest. */
function float4Of(text: string): number {
  const double = Number(text);
  const rounded = Math.fround(double);
  if (rounded === double || !Number.isFinite(rounded)) return rounded;
  const other = rounded === 0 ? Math.sign(double) * FLOAT4_SMALLEST : neighbour(rounded, double > rounded, 'float4');
  if (rounded + (other - rounded) / 2 !== double) return rounded;
  // Seen as a double it lies in the middle between two: the text tells on which side it really does.
  const exact = parseNumeric(text);
  const side = exact === undefined ? 0 : compareNumeric(exact, exactly(double));
  return side === 0 ? rounded : side > 0 === other > rounded ? other : rounded;
}

function parse(text: string, read: (written: string) => number): number | undefined {
  const written = trimSpace(text);
  const special = SPECIALS.get(written.toLowerCase());
  if (special !== undefined) return special;
  if (!FLOAT.test(written)) return undefined;
  const value = read(written);
  const vanished = value === 0 && /[1-9]/.test(written.replace(/e.*/i, ''));
  return Number.isFinite(value) && !vanished ? value : undefined;
}

/** The next float above or below: its bits are those of the next whole number. */
function neighbour(value: number, above: boolean, size: FloatSize): number {
  const view = new DataView(new ArrayBuffer(8));
  const step = value > 0 === above ? 1 : -1;
  if (size === 'float4') {
    view.setFloat32(0, value);
    view.setInt32(0, view.getInt32(0) + step);
    return view.getFloat32(0);
  }
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(step));
  return view.getFloat64(0);
}

/** What a number is, in decimals. */
export function exactly(double: number): Numeric {
  let [scaled, halvings] = [double, 0];
  while (!Number.isInteger(scaled)) [scaled, halvings] = [scaled * 2, halvings + 1];
  return { digits: BigInt(scaled) * 5n ** BigInt(halvings), scale: halvings, special: 0 };
}

/** As `rint` does. */
export function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function specialText(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-Infinity' : 'Infinity';
  return value === 0 ? (Object.is(value, -0) ? '-0' : '0') : undefined;
}

/** @param scientific one digit, its decimals and an exponent, as in `-1.25e+3`. */
function written(scientific: string, exponentFrom: number): string {
  const [, sign = '', first = '', rest = '', exponentText = ''] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(scientific) ?? [];
  const decimals = rest.replace(/0+$/, '');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= exponentFrom) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${first}${decimals === '' ? '' : `.${decimals}`}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  const digits = first + decimals;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
