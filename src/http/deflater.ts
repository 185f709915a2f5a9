/**
 * Deflater: parts of bodies, deflated one by one, so that each is whole by itself: it is followed by any other, costs no memory while
 * its client reads it, and is the same for every client. Of what never changes it is kept, the latest parts up to a number of bytes.
 *
 * The work is done by the threads that read files and sync the log; so few parts are at work at once, and the others wait.
 */
import { constants, deflateRaw } from 'node:zlib';
import { promisify } from 'node:util';
import { Ring } from '../base/ring.ts';

const AT_ONCE_MAX = 2;
const KEPT_BYTES_MAX = 32 * 1024 * 1024;
/** What is kept of a part besides its bytes, by and large. */
const ENTRY_BYTES = 200;
const LEVEL = 6;

const deflated = promisify(deflateRaw) as (bytes: Uint8Array, options: { level: number; finishFlush: number }) => Promise<Buffer>;

export class Deflater {
  /** By key, the oldest first; with its size once that is known. */
  private readonly kept = new Map<string, { readonly bytes: Promise<Uint8Array>; size: number }>();
  /** Of buffers that several answers have in common. */
  private readonly shared = new WeakMap<Uint8Array, Promise<Uint8Array>>();
  private keptBytes = 0;
  private atWork = 0;
  private readonly waiting = new Ring<() => void>();
  /** How many parts were deflated. */
  count = 0;

  constructor(private readonly keptBytesMax = KEPT_BYTES_MAX) {}

  /** @param key names what never changes; without it a buffer that is given again is deflated once, for as long as it lives. */
  deflate(bytes: Uint8Array, key: string | undefined): Promise<Uint8Array> {
    if (key !== undefined) return this.keep(key, bytes);
    const known = this.shared.get(bytes) ?? this.work(bytes);
    this.shared.set(bytes, known);
    return known;
  }

  private keep(key: string, bytes: Uint8Array): Promise<Uint8Array> {
    const known = this.kept.get(key) ?? { bytes: this.work(bytes), size: 0 };
    this.kept.delete(key);
    this.kept.set(key, known);
    if (known.size === 0) {
      known.bytes.then(
        (made) => this.account(key, known, made.length + key.length + ENTRY_BYTES),
        () => this.kept.delete(key), // Whoever waits for it is told.
      );
    }
    return known.bytes;
  }

  private account(key: string, entry: { size: number }, size: number): void {
    if (entry.size > 0 || this.kept.get(key) !== entry) return;
    entry.size = size;
    this.keptBytes += size;
    for (const [oldest, { size: oldestSize }] of this.kept) {
      if (this.keptBytes <= this.keptBytesMax) return;
      this.kept.delete(oldest);
      this.keptBytes -= oldestSize;
    }
  }

  private async work(bytes: Uint8Array): Promise<Uint8Array> {
    if (this.atWork === AT_ONCE_MAX) await new Promise<void>((next) => this.waiting.push(next));
    else this.atWork += 1;
    try {
      this.count += 1;
      return await deflated(bytes, { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH });
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.atWork -= 1;
      else next();
    }
  }
}
