/**
 * CompactedLines: the lines of a log on their way into the files of its next generation, first those that are compacted and then, as they
 * are, those behind.
 *
 * A chunk of what is compacted ends behind a transaction, at an offset that was never given out before: a cache may have the answer for
 * the end of an older chunk, with lines that know nothing of what went behind it. Within a transaction it ends where `KeptEnds` says.
 */
import { compactedEnd, type LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { LineAddress, LineBatch } from '../shapes/line-buffer.ts';
import { LineDraft } from '../shapes/line-draft.ts';
import { indexEntriesOf } from '../shapes/line-pieces.ts';
import type { ChunkEnd } from '../shapes/shape-lines.ts';

const BATCH_BYTES = 256 * 1024;

/** Where the next line begins in the new files. */
export interface NewPlace {
  readonly bytes: number;
  readonly count: number;
}

/** Puts lines behind `place`. */
export type PutLines = (place: NewPlace, batch: LineBatch) => Promise<void>;

export class CompactedLines {
  readonly chunkEnds: ChunkEnd[] = [];
  private readonly draft = new LineDraft();
  private written: NewPlace = { bytes: 0, count: 0 };
  /** Behind the lines that are drafted. */
  private drafted: NewPlace = this.written;
  private openBytes = 0;
  private lastLsn: Lsn | undefined;

  constructor(
    private readonly generation: number,
    private readonly chunkBytesMax: number,
    private readonly put: PutLines,
  ) {}

  get place(): NewPlace {
    return this.written;
  }

  /** Of all lines that were given. */
  get bytes(): number {
    return this.drafted.bytes;
  }

  /** A line of the part that is compacted. @param line without its comma. */
  async compacted({ lsn, position }: LineAddress, line: Uint8Array): Promise<void> {
    const { lastLsn } = this;
    const isBetween = lastLsn !== undefined && lsn !== lastLsn;
    if (isBetween && this.openBytes >= this.chunkBytesMax) this.endChunk(compactedEnd(lastLsn, this.generation));
    this.lastLsn = lsn;
    this.openBytes += line.length;
    await this.append({ lsn, position }, line);
  }

  /** Behind what was given. */
  endChunk(offset: LogOffset): ChunkEnd {
    const end = { offset, bytes: this.drafted.bytes };
    this.chunkEnds.push(end);
    this.openBytes = 0;
    return end;
  }

  /** The last of them was given. @returns its end. */
  async endCompacted(lsn: Lsn): Promise<ChunkEnd> {
    const end = this.endChunk(compactedEnd(lsn, this.generation));
    await this.flush();
    return end;
  }

  /** A line as it is. */
  async append({ lsn, position }: LineAddress, line: Uint8Array): Promise<void> {
    this.draft.append(lsn, position, line);
    const { bytes, count } = this.drafted;
    this.drafted = { bytes: bytes + line.length + 1, count: count + indexEntriesOf(line.length + 1) };
    if (this.drafted.bytes - this.written.bytes >= BATCH_BYTES) await this.flush();
  }

  /** A piece ends with what was flushed: what a checkpoint counts must end so. */
  async flush(): Promise<void> {
    const batch = this.draft.take();
    if (batch === undefined) return;
    await this.put(this.written, batch);
    this.written = this.drafted;
  }
}
