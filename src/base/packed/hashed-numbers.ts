/**
 * HashedNumbers: numbers found again by a hash of what they stand for. It is extendible hashing (Fagin and others): buckets of bounded
 * size, found by the first bits of a hash, and one that is full is split. So it grows evenly, and nothing that is added costs more
 * than one bucket, however many there are.
 */
const BUCKET_SLOTS_MIN = 8;
const BUCKET_SLOTS_MAX = 4_096;
/** Beyond it a bucket grows: so many hashes that begin alike are no chance. */
const DEPTH_MAX = 20;

interface Bucket {
  /** A number and one, or 0; found from the last bits of its hash on. */
  slots: Uint32Array;
  count: number;
  /** How many first bits all hashes in it have in common. */
  depth: number;
}

export class HashedNumbers {
  /** By the first `depth` bits of a hash; neighbours may be one bucket. */
  private buckets: Bucket[] = [newBucket(BUCKET_SLOTS_MIN, 0)];
  private depth = 0;

  /** @param hashOf what a number stands for, from 0 to 2³² − 1: the same as long as it is here. */
  constructor(private readonly hashOf: (number: number) => number) {}

  /** @param isWanted asked of those with this hash. */
  find(hash: number, isWanted: (number: number) => boolean): number | undefined {
    const { slots } = this.bucketOf(hash);
    const mask = slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const held = slots[at] ?? 0;
      if (held === 0) return undefined;
      if (this.hashOf(held - 1) === hash && isWanted(held - 1)) return held - 1;
    }
  }

  /** @param number below 2³² − 1, that is not here. */
  add(hash: number, number: number): void {
    const bucket = this.bucketOf(hash);
    if (4 * (bucket.count + 1) > 3 * bucket.slots.length) {
      this.makeRoom(bucket, hash);
      return this.add(hash, number);
    }
    put(bucket, hash, number);
  }

  /** @param number that is here. */
  delete(hash: number, number: number): void {
    const bucket = this.bucketOf(hash);
    const { slots } = bucket;
    const mask = slots.length - 1;
    let gap = hash & mask;
    while (slots[gap] !== number + 1) gap = (gap + 1) & mask;
    // Whoever stands behind and was pushed there comes forward, or it would not be found over the gap.
    for (let at = (gap + 1) & mask; ; at = (at + 1) & mask) {
      const held = slots[at] ?? 0;
      if (held === 0) break;
      const home = this.hashOf(held - 1) & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      slots[gap] = held;
      gap = at;
    }
    slots[gap] = 0;
    bucket.count -= 1;
  }

  /** @param hashOf as of the constructor, of the copy's numbers. */
  copy(hashOf: (number: number) => number): HashedNumbers {
    const copy = new HashedNumbers(hashOf);
    const copies = new Map<Bucket, Bucket>();
    copy.buckets = this.buckets.map((bucket) => {
      const made = copies.get(bucket) ?? { ...bucket, slots: bucket.slots.slice() };
      copies.set(bucket, made);
      return made;
    });
    copy.depth = this.depth;
    return copy;
  }

  private bucketOf(hash: number): Bucket {
    return this.buckets[firstBits(hash, this.depth)] as Bucket;
  }

  private makeRoom(bucket: Bucket, hash: number): void {
    const { slots, depth } = bucket;
    if (slots.length === BUCKET_SLOTS_MAX && depth < DEPTH_MAX) this.split(bucket, hash);
    else this.widen(bucket);
  }

  private widen(bucket: Bucket): void {
    const { slots } = bucket;
    bucket.slots = new Uint32Array(2 * slots.length);
    bucket.count = 0;
    for (const held of slots) if (held !== 0) put(bucket, this.hashOf(held - 1), held - 1);
  }

  /** By the next bit of the hashes in it. @param hash of any of them. */
  private split({ slots, depth }: Bucket, hash: number): void {
    const parts: readonly [Bucket, Bucket] = [newBucket(slots.length, depth + 1), newBucket(slots.length, depth + 1)];
    for (const held of slots) {
      if (held === 0) continue;
      const each = this.hashOf(held - 1);
      put(parts[firstBits(each, depth + 1) % 2 === 0 ? 0 : 1], each, held - 1);
    }
    if (this.depth === depth) this.deepen();
    const half = 2 ** (this.depth - depth - 1);
    const first = firstBits(hash, depth) * 2 * half;
    this.buckets.fill(parts[0], first, first + half).fill(parts[1], first + half, first + 2 * half);
  }

  private deepen(): void {
    this.buckets = this.buckets.flatMap((bucket) => [bucket, bucket]);
    this.depth += 1;
  }
}

function newBucket(slots: number, depth: number): Bucket {
  return { slots: new Uint32Array(slots), count: 0, depth };
}

function put(bucket: Bucket, hash: number, number: number): void {
  const mask = bucket.slots.length - 1;
  let at = hash & mask;
  while (bucket.slots[at] !== 0) at = (at + 1) & mask;
  bucket.slots[at] = number + 1;
  bucket.count += 1;
}

function firstBits(hash: number, count: number): number {
  return count === 0 ? 0 : hash >>> (32 - count);
}
