/**
 * LentBytes: large buffers that are used again. What a file is read into for a socket is of use for a moment. A new one each time makes the
 * collector look through everything there is, again and again: it goes by how many bytes were made, and knows of no moment.
 *
 * A buffer is lent to one reader. Whoever has brought all of its bytes where they go, and knows that nobody else reads them, gives it back;
 * who does not, leaves it to the collector. Only a view of the whole is taken back: who has a part does not know who has the rest.
 */
const LENT_BYTES = 256 * 1024;
/** Less is made anew. */
const LENT_BYTES_MIN = 64 * 1024;
/** So many wait to be lent again. */
const FREE_MAX = 16;

const free: ArrayBuffer[] = [];
/** How many bytes of each were asked for. */
const lent = new WeakMap<ArrayBufferLike, number>();

/** @returns so many bytes, whatever is in them, by a view that nobody else has. */
export function lendBytes(length: number): Buffer {
  if (length < LENT_BYTES_MIN || length > LENT_BYTES) return Buffer.allocUnsafe(length);
  const memory = free.pop() ?? Buffer.allocUnsafeSlow(LENT_BYTES).buffer; // Whose bytes nobody has set to zero.
  lent.set(memory, length);
  return Buffer.from(memory, 0, length);
}

/** Nobody reads `bytes` any more. Whatever was not lent, or is but a part of it, stays what it is. */
export function giveBack({ buffer, byteOffset, length }: Uint8Array): void {
  if (byteOffset !== 0 || lent.get(buffer) !== length || !(buffer instanceof ArrayBuffer)) return;
  lent.delete(buffer);
  if (free.length < FREE_MAX) free.push(buffer);
}
