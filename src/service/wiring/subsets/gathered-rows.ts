/**
 * GatheredRows: the rows of one query on their way to one client. They are gathered until all are there, or until there are too many to
 * hold; so an error among the first is told with a status, and a client gets no answer that it has to wait for in the middle.
 *
 * Beyond that the writer waits for the reader, and never holds more than `GATHERED_BYTES_MAX` and what is written in one go.
 */
import type { Body } from '../../../api/shape-response.ts';

const GATHERED_BYTES_MAX = 1024 * 1024;

export class GatheredRows {
  private pieces: Uint8Array[] = [];
  private bytes = 0;
  private end: 'open' | 'whole' | { readonly error: unknown } = 'open';
  private readonly waiting: (() => void)[] = [];

  /** @param leave called when the reader goes before the end. */
  constructor(private readonly leave: () => void) {}

  /** Resolves when more may be written. */
  async write(piece: Uint8Array): Promise<void> {
    this.pieces.push(piece);
    this.bytes += piece.length;
    this.changed();
    while (this.isFull && this.end === 'open') await this.change();
  }

  complete(): void {
    if (this.end === 'open') this.end = 'whole';
    this.changed();
  }

  /** Whoever reads is told. */
  fail(error: unknown): void {
    if (this.end === 'open') this.end = { error };
    this.changed();
  }

  /** Resolves when all are there, or too many to wait for the rest. @throws what the writer failed with. */
  async begun(): Promise<Body> {
    while (this.end === 'open' && !this.isFull) await this.change();
    if (this.end === 'whole') return this.pieces;
    this.refuseFailed();
    return this.rest();
  }

  private get isFull(): boolean {
    return this.bytes >= GATHERED_BYTES_MAX;
  }

  private async *rest(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const { pieces } = this;
        this.pieces = [];
        this.bytes = 0;
        this.changed();
        yield* pieces;
        this.refuseFailed();
        if (this.pieces.length > 0) continue;
        if (this.end !== 'open') return;
        await this.change();
      }
    } finally {
      this.fail(new Error('nobody reads the rows any more'));
      this.leave();
    }
  }

  private refuseFailed(): void {
    if (typeof this.end === 'object') throw this.end.error;
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private changed(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}
