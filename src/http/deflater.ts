/**
 * Deflater: parts of bodies, deflated one by one, so that each is whole by itself: it is followed by any other, costs no memory while
 * its client reads it, and is the same for every client. Of what never changes it is kept for those who ask soon, up to a number of bytes.
 *
 * The work is done by the threads that read files and sync the log; so few parts are at work at once, and the others wait.
 */
import { constants, deflateRaw } from 'node:zlib';
import { promisify } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { RecentMap } from '../base/recent-map.ts';
import { Ring } from '../base/ring.ts';

const AT_ONCE_MAX = 2;
const KEPT_BYTES_MAX = 32 * 1024 * 1024;
/** What is kept of a part besides its bytes, by and large. */
const ENTRY_BYTES = 500;
/** Many ask for the same part when they come at the same time, or when all are sent the same change. */
const IDLE_MS_MAX = 120_000;
const LEVEL = 6;

const deflated = promisify(deflateRaw) as (bytes: Uint8Array, options: { level: number; finishFlush: number }) => Promise<Buffer>;

/** Who asks for a part. */
export interface Taker {
  /** It has gone: what is made for it nobody gets. */
  readonly isClosed: boolean;
}

interface Part {
  readonly takers: Takers;
  readonly bytes: Promise<Uint8Array | undefined>;
}

export class Deflater {
  /** By key. A part that is not made yet weighs nothing. */
  private readonly kept: RecentMap<Part>;
  /** Of buffers that several answers have in common. */
  private readonly shared = new WeakMap<Uint8Array, Part>();
  private atWork = 0;
  private readonly waiting = new Ring<() => void>();

  constructor(clock: Pick<Clock, 'nowMs'>, keptBytesMax = KEPT_BYTES_MAX) {
    this.kept = new RecentMap(clock, { weightMax: keptBytesMax, idleMsMax: IDLE_MS_MAX });
  }

  /**
   * @param key names what never changes; without it a buffer that is given again is deflated once, for as long as it lives.
   * @returns undefined when all who asked for it had gone before it was its turn.
   */
  async deflate(bytes: Uint8Array, key: string | undefined, taker: Taker): Promise<Uint8Array | undefined> {
    if (taker.isClosed) return undefined;
    const known = key === undefined ? this.shared.get(bytes) : this.kept.get(key);
    known?.takers.add(taker);
    return key === undefined ? this.share(bytes, known, taker) : this.keep(key, bytes, known, taker);
  }

  private share(bytes: Uint8Array, known: Part | undefined, taker: Taker): Part['bytes'] {
    const part = known ?? this.begin(bytes, taker, () => this.shared.delete(bytes));
    this.shared.set(bytes, part);
    return part.bytes;
  }

  private keep(key: string, bytes: Uint8Array, known: Part | undefined, taker: Taker): Part['bytes'] {
    if (known !== undefined) return known.bytes;
    const forget = (): void => this.kept.delete(key);
    const part = this.begin(bytes, taker, forget);
    this.kept.set(key, part, 0);
    part.bytes.then(
      (made) => made && this.kept.set(key, part, made.length + key.length + ENTRY_BYTES),
      forget, // Whoever waits for it is told.
    );
    return part.bytes;
  }

  /** @param forget called at once when nobody waits for it any longer: who comes later has it begun anew. */
  private begin(bytes: Uint8Array, taker: Taker, forget: () => void): Part {
    const takers = new Takers(taker);
    return { takers, bytes: this.work(bytes, takers, forget) };
  }

  private async work(bytes: Uint8Array, takers: Takers, forget: () => void): Promise<Uint8Array | undefined> {
    if (this.atWork === AT_ONCE_MAX) await new Promise<void>((next) => this.waiting.push(next));
    else this.atWork += 1;
    try {
      if (takers.leave()) return compact(await deflated(bytes, { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH }));
      forget();
      return undefined;
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.atWork -= 1;
      else next();
    }
  }
}

/** What zlib answers lies in 16 KiB, however short it is: kept as it came, short parts took many times what they were counted as. */
function compact(part: Uint8Array): Uint8Array {
  return part.length === part.buffer.byteLength ? part : new Uint8Array(part);
}

/** Who waits for a part until its work begins; after that nobody is held. */
class Takers {
  private waiting: Set<Taker> | undefined;

  constructor(first: Taker) {
    this.waiting = new Set([first]);
  }

  add(taker: Taker): void {
    this.waiting?.add(taker);
  }

  /** @returns whether any of them is still there. */
  leave(): boolean {
    const isWanted = [...(this.waiting ?? [])].some(({ isClosed }) => !isClosed);
    this.waiting = undefined;
    return isWanted;
  }
}
