/** SoakReader: the client of npm on one shape, that goes away and comes back to where it was. */
import { ShapeStream, type Offset } from '@electric-sql/client';
import { isDeepStrictEqual } from 'node:util';
import type { SoakShape } from './workload.ts';

type Row = Readonly<Record<string, unknown>>;
type Place = { readonly offset: Offset; readonly handle: string };

export class SoakReader {
  /** How often the shape had to be fetched anew. */
  refetches = 0;
  private readonly rows = new Map<string, Row>();
  private stream: ShapeStream | undefined;
  private leaving = new AbortController();
  private place: Place | undefined;
  private failure: Error | undefined;

  constructor(
    private readonly url: string,
    readonly shape: SoakShape,
  ) {}

  /** From the begin, or from where it left. */
  come(): void {
    const { url, shape: { params }, place } = this;
    this.leaving = new AbortController();
    const onError = (error: Error): void => void (this.failure = error);
    const stream = new ShapeStream({ url, params, signal: this.leaving.signal, onError, ...place });
    this.stream = stream;
    stream.subscribe((messages) => {
      for (const message of messages) this.take(message);
    });
  }

  leave(): void {
    const { stream } = this;
    if (stream?.shapeHandle !== undefined) this.place = { offset: stream.lastOffset, handle: stream.shapeHandle };
    stream?.unsubscribeAll();
    this.leaving.abort();
    this.stream = undefined;
  }

  /** @throws what its stream ended with. */
  holds(selected: readonly unknown[]): boolean {
    if (this.failure !== undefined) throw this.failure;
    return isDeepStrictEqual(sorted([...this.rows.values()]), selected);
  }

  private take(message: Parameters<Parameters<ShapeStream['subscribe']>[0]>[0][number]): void {
    if ('control' in message.headers) {
      if (message.headers.control !== 'must-refetch') return;
      this.refetches += 1;
      return this.rows.clear();
    }
    if (!('key' in message)) return;
    const { key, value, headers: { operation } } = message;
    if (operation === 'delete') this.rows.delete(key);
    else this.rows.set(key, { ...this.rows.get(key), ...value });
  }
}

/** By their id, for comparison. */
export function sorted<Of extends Row>(rows: readonly Of[]): Of[] {
  return rows.toSorted((left, right) => Number(left['id']) - Number(right['id']));
}
