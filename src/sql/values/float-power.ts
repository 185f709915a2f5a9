/**
 * Powers of float8, whose last digit is the choice of the mathematics library below Postgres. Those of glibc since 2.28 and of musl since
 * 1.2 are one algorithm, which states how far it can be off: 0.511 units of the last place, and more the larger the logarithm of the power
 * is, up to 0.54. Here the power is known to far more digits. So where it is not that close to the middle between two float8, each of these
 * libraries has rounded it to the nearest one, on any machine; where it is, the power is not told.
 */
import { naturalLogarithm, naturalPower } from './fixed-point.ts';

/** Of the logarithm of the base: an exponent takes up to 63 of them, and some 60 are left behind the last place. */
const BITS = 192n;
/** Of one unit of the last place. */
const FRACTION_BITS = 64n;
const HALF = 1n << (FRACTION_BITS - 1n);
/** In units of the last place, from the middle: alone, and for each whole of the power's natural logarithm. More than what is stated. */
const UNCERTAIN = 0.012;
const UNCERTAIN_PER_LOGARITHM = 2 ** -14;
/** Logarithms of more than any float8, and of less than any but zero. */
const [LOGARITHM_MAX, LOGARITHM_MIN] = [710, -746];
const MANTISSA_BITS = 53;
const EXPONENT_MIN = -1074;

/**
 * @param base positive and finite.
 * @param exponent finite.
 * @returns Infinity for what is too large, 0 for what is too small; undefined where libraries may have chosen either of two neighbours.
 */
export function floatPower(base: number, exponent: number): number | undefined {
  const estimate = exponent * Math.log(base);
  if (estimate > LOGARITHM_MAX) return Infinity;
  if (estimate < LOGARITHM_MIN) return 0;
  const [{ odd, halvings }, factor] = [partsOf(base), partsOf(exponent)];
  const logarithm = naturalLogarithm(odd << BigInt(Math.max(0, -halvings)), 1n << BigInt(Math.max(0, halvings)), BITS);
  return rounded(naturalPower(shifted(logarithm * factor.odd, -factor.halvings), BITS), estimate);
}

/** The nearest float8. */
function rounded({ mantissa, doublings }: ReturnType<typeof naturalPower>, logarithm: number): number | undefined {
  const firstBit = Number(doublings) - (mantissa >> BITS === 0n ? 1 : 0);
  const lastBit = Math.max(firstBit - MANTISSA_BITS + 1, EXPONENT_MIN);
  const shown = shifted(mantissa, Number(doublings - BITS + FRACTION_BITS) - lastBit);
  const fromMiddle = Math.abs(Number((shown % (2n * HALF)) - HALF)) / Number(2n * HALF);
  if (fromMiddle <= UNCERTAIN + Math.abs(logarithm) * UNCERTAIN_PER_LOGARITHM) return undefined;
  return Number((shown + HALF) >> FRACTION_BITS) * 2 ** lastBit;
}

/** `odd / 2 ** halvings`, of which the halvings may be negative. */
function partsOf(value: number): { readonly odd: bigint; readonly halvings: number } {
  let [part, halvings] = [value, 0];
  while (!Number.isInteger(part)) [part, halvings] = [part * 2, halvings + 1];
  while (part % 2 === 0 && part !== 0) [part, halvings] = [part / 2, halvings - 1];
  return { odd: BigInt(part), halvings };
}

function shifted(value: bigint, bits: number): bigint {
  return bits >= 0 ? value << BigInt(bits) : value >> BigInt(-bits);
}
