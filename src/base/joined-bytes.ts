/** Parts as one. @returns the only part itself, where there is one: whoever keeps it for long copies it. */
export function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Few of at least `bytesMin`, and one more, instead of many small ones; between two of them others have their turn. */
export function* joinedInParts(parts: Iterable<Uint8Array>, bytesMin: number): Generator<Uint8Array> {
  let together: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    together.push(part);
    bytes += part.length;
    if (bytes < bytesMin) continue;
    yield joinedBytes(together);
    together = [];
    bytes = 0;
  }
  if (together.length > 0) yield joinedBytes(together);
}
