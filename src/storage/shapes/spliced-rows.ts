/**
 * SplicedRows: the rows that a query brought for a splice, lines one behind the other. A few stand in the splice's own record, which is
 * synced in any case and together with those of others; many have a file.
 */
import type { ChunkSums } from './piece.ts';
import type { MovedWriter } from './shape-store.ts';

/** Plain JSON. */
export type SplicedRows = ChunkSums | RowsInRecord;

export interface RowsInRecord {
  readonly bytes: number;
  /** The bytes as they are: of a database without an encoding they need not be UTF-8. */
  readonly base64: string;
}

/** Whoever reads the transaction log reads over them. */
export const ROWS_IN_RECORD_BYTES_MAX = 16 * 1024;

/** As a `MovedWriter`, which it asks for when it needs one. */
export class SplicedRowsWriter {
  private few: Uint8Array[] = [];
  private bytes = 0;
  private file: MovedWriter | undefined;

  constructor(private readonly beginFile: () => MovedWriter) {}

  /** @param lines whole ones, as somebody will read them back. */
  async write(lines: Uint8Array): Promise<void> {
    this.bytes += lines.length;
    if (this.bytes <= ROWS_IN_RECORD_BYTES_MAX) this.few.push(lines.slice());
    else await this.writeFile(lines);
  }

  /** @returns what there was, durable or to become so with the record; null when there was nothing. */
  async complete(): Promise<SplicedRows | null> {
    if (this.file !== undefined) return this.file.complete();
    return this.bytes === 0 ? null : { bytes: this.bytes, base64: Buffer.concat(this.few).toString('base64') };
  }

  private async writeFile(lines: Uint8Array): Promise<void> {
    this.file ??= this.beginFile();
    const before = this.few;
    this.few = [];
    await this.file.write(Buffer.concat([...before, lines]));
  }
}

export function areInRecord(rows: SplicedRows): rows is RowsInRecord {
  return 'base64' in rows;
}

export function rowsInRecord({ base64 }: RowsInRecord): Uint8Array {
  return Buffer.from(base64, 'base64');
}
