/**
 * FewRows: the rows that a query brought for a splice, while they are few. These stand in the record of the splice, which is synced in
 * any case and together with others; for more a file is begun. Of those who write them only the last one may.
 */
import type { Handle } from '../../model/shape.ts';
import { SupersededError } from '../errors.ts';
import { GrowingSums, wholeOf, type ChunkSums } from './piece.ts';
import type { MovedWriter } from './shape-store.ts';

/** Whoever reads the transaction log reads over them. */
export const FEW_BYTES_MAX = 16 * 1024;

export class FewRows {
  /** Who began last, until the splice is recorded: with it go the rows that it has. */
  private latest: Writer | undefined;
  /** Until the splice is recorded. */
  private whole: Uint8Array | undefined;

  constructor(private readonly handle: Handle) {}

  /**
   * @param beginFile called when they are not few.
   * @returns whose promises reject with a `SupersededError` once another one began, or the splice is recorded.
   */
  begin(beginFile: (claim: () => void) => MovedWriter): MovedWriter {
    this.whole = undefined;
    this.latest = new Writer(this, beginFile);
    return this.latest;
  }

  /** What was completed last, as a record keeps it; undefined when it is in a file, or nothing. Nobody writes them any more. */
  take(): string | undefined {
    const { whole } = this;
    this.latest = undefined;
    this.whole = undefined;
    return whole && Buffer.from(whole).toString('base64'); // Bytes as they are: those of a database without an encoding may be no UTF-8.
  }

  clone(): FewRows {
    const copy = new FewRows(this.handle);
    copy.whole = this.whole;
    return copy;
  }

  /** Of `writer`, that its rows may still come. */
  claim(writer: Writer): void {
    if (writer !== this.latest) throw new SupersededError(this.handle);
  }

  keep(few: Uint8Array): void {
    this.whole = few;
  }
}

class Writer implements MovedWriter {
  private readonly sums = new GrowingSums();
  private few: Uint8Array[] = [];
  private file: MovedWriter | undefined;

  constructor(
    private readonly rows: FewRows,
    private readonly beginFile: (claim: () => void) => MovedWriter,
  ) {}

  async write(lines: Uint8Array): Promise<void> {
    this.rows.claim(this);
    if (this.file === undefined && this.sums.bytes + lines.length <= FEW_BYTES_MAX) {
      this.sums.add(lines);
      this.few.push(lines.slice());
      return;
    }
    this.file ??= this.beginFile(() => this.rows.claim(this));
    const before = this.few;
    this.few = [];
    await this.file.write(Buffer.concat([...before, lines]));
  }

  async complete(): Promise<ChunkSums | null> {
    this.rows.claim(this);
    if (this.file !== undefined) return await this.file.complete();
    if (this.sums.bytes > 0) this.rows.keep(Buffer.concat(this.few));
    return wholeOf(this.sums);
  }
}
