/**
 * KeptEnds: where a chunk of what is compacted must end within a transaction, since that is too large for one chunk. Such a one ends where
 * one ended before, under the same name, and nothing is moved across: then what a cache has of either side is true beside the other.
 */
import type { LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { LineAddress } from '../shapes/line-buffer.ts';
import type { ChunkEnd } from '../shapes/shape-lines.ts';

export class KeptEnds {
  private next = 0;
  private lsn: Lsn | undefined;
  /** Where the transaction began, or the last chunk ended that is kept. */
  private since = 0;

  /** @param unbrokenBytesMax with more of one transaction than this, its chunk ends with the next one of `ends`. */
  constructor(
    private readonly ends: readonly ChunkEnd[],
    private readonly unbrokenBytesMax: number,
  ) {}

  /** Lines are given in their order. @param at where the line begins. @returns the end of the chunk before it, if it is kept. */
  endBefore({ lsn }: LineAddress, at: number): LogOffset | undefined {
    if (lsn !== this.lsn) [this.lsn, this.since] = [lsn, at];
    while ((this.ends[this.next]?.bytes ?? Infinity) < at) this.next += 1;
    const end = this.ends[this.next];
    if (end?.bytes !== at || at - this.since <= this.unbrokenBytesMax) return undefined;
    this.since = at;
    return end.offset;
  }
}
