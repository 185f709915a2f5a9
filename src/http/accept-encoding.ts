/**
 * Whether a request takes gzip. There is no other coding here: brotli makes a chunk a tenth smaller, but what it has coded cannot be put
 * together from parts, so each client would need a coder, of a megabyte and more, for as long as it reads.
 */

/** A header has some 10; so long a list is nobody's who means it. */
const CHARACTERS_MAX = 1_000;
const ITEM = /^([^\s;]+)(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i;

/** @param header the value of `Accept-Encoding`. Of what is no item of it nothing is taken. */
export function takesGzip(header: string | undefined): boolean {
  if (header === undefined || header.length > CHARACTERS_MAX) return false;
  const weights = new Map<string, number>();
  for (const item of header.split(',')) {
    const [, coding, weight = '1'] = ITEM.exec(item.trim()) ?? [];
    if (coding !== undefined) weights.set(coding.toLowerCase(), Number(weight));
  }
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0);
}
