/** Logarithms and powers of e to any number of bits: a value is a whole number of parts, of which two to the power of `bits` are one. */

/** Squared so often, a series for a small number gives the power of a larger one. */
const SQUARINGS = 8n;
let logarithmOfTwo = { bits: 0n, value: 0n };

/** Of `numerator / denominator`, which is positive. Off by less than a hundred parts for each bit of its size. */
export function naturalLogarithm(numerator: bigint, denominator: bigint, bits: bigint): bigint {
  const one = 1n << bits;
  let doublings = BigInt(bitsIn(numerator) - bitsIn(denominator));
  let mantissa = doublings > 0n ? (numerator << bits) / (denominator << doublings) : (numerator << (bits - doublings)) / denominator;
  if (3n * mantissa > 4n * one) [mantissa, doublings] = [mantissa >> 1n, doublings + 1n];
  return doublings * twosLogarithm(bits) + 2n * inverseTangent(((mantissa - one) << bits) / (mantissa + one), bits);
}

/** As `mantissa` times two to the power of `doublings`: the mantissa is close to one. Right but for a few of its last 20 bits. */
export function naturalPower(exponent: bigint, bits: bigint): { readonly mantissa: bigint; readonly doublings: bigint } {
  const two = twosLogarithm(bits);
  const doublings = (2n * exponent + (exponent < 0n ? -two : two)) / (2n * two);
  const small = (exponent - doublings * two) >> SQUARINGS;
  let mantissa = 1n << bits;
  for (let [term, place] = [mantissa, 1n]; term !== 0n && term !== -1n; place += 1n) {
    term = ((term * small) >> bits) / place;
    mantissa += term;
  }
  for (let squared = 0n; squared < SQUARINGS; squared += 1n) mantissa = (mantissa * mantissa) >> bits;
  return { mantissa, doublings };
}

function twosLogarithm(bits: bigint): bigint {
  if (logarithmOfTwo.bits !== bits) logarithmOfTwo = { bits, value: 2n * inverseTangent((1n << bits) / 3n, bits) };
  return logarithmOfTwo.value;
}

/** Hyperbolic, of a value well below one. */
function inverseTangent(value: bigint, bits: bigint): bigint {
  const square = (value * value) >> bits;
  let sum = 0n;
  for (let [power, place] = [value, 1n]; power !== 0n && power !== -1n; place += 2n) {
    sum += power / place;
    power = (power * square) >> bits;
  }
  return sum;
}

function bitsIn(value: bigint): number {
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number(`0x${digits[0] ?? '0'}`)) + 28;
}
