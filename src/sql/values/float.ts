/**
 * Floating point as Postgres reads and writes it: the shortest digits that mean the value, and a text rounded once, also to single
 * precision, which JavaScript has only by way of double precision.
 */
import { significant } from './numeric-arithmetic.ts';
import { compareNumeric, numericText, parseNumeric, type Numeric } from './numeric.ts';
import { trimSpace } from './white-space.ts';

const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const SPECIALS: Readonly<Record<string, number>> = {
  nan: NaN, inf: Infinity, '+inf': Infinity, infinity: Infinity, '+infinity': Infinity, '-inf': -Infinity, '-infinity': -Infinity,
};
/** The exponents from which on a number is written with one. */
const EXPONENT_FROM = { float4: 6, float8: 15 };
const FLOAT4_DIGITS_MAX = 9;

/** @returns undefined when `text` is no number, or one that is too large or too small: Postgres refuses it. */
export function parseFloat8(text: string): number | undefined {
  return parse(text, Number);
}

export function parseFloat4(text: string): number | undefined {
  return parse(text, float4Of);
}

export function float8Text(value: number): string {
  return specialText(value) ?? written(value.toExponential(), EXPONENT_FROM.float8);
}

export function float4Text(value: number): string {
  const special = specialText(value);
  if (special !== undefined) return special;
  for (let digits = 1; digits < FLOAT4_DIGITS_MAX; digits += 1) {
    const found = nearby(value, digits).find((text) => Math.fround(Number(text)) === value);
    if (found !== undefined) return written(found, EXPONENT_FROM.float4);
  }
  return written(value.toExponential(FLOAT4_DIGITS_MAX - 1), EXPONENT_FROM.float4);
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

/** The float4 next to the number that `text` writes; Infinity beyond the largest. */
export function float4Of(text: string): number {
  const double = Number(text);
  const rounded = Math.fround(double);
  if (rounded === double || !Number.isFinite(rounded)) return rounded;
  const other = neighbour(rounded, double > rounded);
  if (rounded + (other - rounded) / 2 !== double) return rounded;
  // Seen as a double it lies in the middle between two: the text tells on which side it really does.
  const exact = parseNumeric(text);
  const side = exact === undefined ? 0 : compareNumeric(exact, exactly(double));
  return side === 0 ? rounded : side > 0 === other > rounded ? other : rounded;
}

function parse(text: string, read: (written: string) => number): number | undefined {
  const written = trimSpace(text);
  const special = SPECIALS[written.toLowerCase()];
  if (special !== undefined) return special;
  if (!FLOAT.test(written)) return undefined;
  const value = read(written);
  const vanished = value === 0 && /[1-9]/.test(written.replace(/e.*/i, ''));
  return Number.isFinite(value) && !vanished ? value : undefined;
}

/** The next float4 above or below. */
function neighbour(value: number, above: boolean): number {
  const [float, bits] = [new Float32Array(1), new Int32Array(1)];
  const view = new DataView(float.buffer);
  float[0] = value;
  bits[0] = view.getInt32(0, true);
  if (value === 0) return above ? 2 ** -149 : -(2 ** -149);
  view.setInt32(0, (bits[0] ?? 0) + (value > 0 === above ? 1 : -1), true);
  return float[0] ?? NaN;
}

/** What a number is, in decimals. */
export function exactly(double: number): Numeric {
  let [scaled, halvings] = [double, 0];
  while (!Number.isInteger(scaled)) [scaled, halvings] = [scaled * 2, halvings + 1];
  return { digits: BigInt(scaled) * 5n ** BigInt(halvings), scale: halvings, special: 0 };
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
