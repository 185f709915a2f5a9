/**
 * Change: one row operation of a replicated transaction, in the bytes in which it is logged and routed.
 *
 * The postgres room writes a change once; from there on nobody parses or copies a value again. A value is JSON
 * already: `null`, or a string in its quotes, escaped. So equal bytes mean equal values, and a line for a client is
 * a concatenation of slices.
 *
 * ```
 * change  u32 size of what follows · u8 kind · u8 tuples (1 = old, 2 = new) · u32 layout · u32 position · old? · new? · u8 cause?
 * tuple   u32 size of what follows · u16 columns · columns × u32 where the value ends, counted from the first one · values
 * ```
 * All numbers are little endian. A truncate has no tuple. Neither has a gap, which stands for whatever its transaction did
 * to a table when that cannot be told; it alone has a cause, as its place in `GAP_CAUSES`.
 */
import { invariant } from '../base/invariant.ts';

export const CHANGE_KINDS = { insert: 1, update: 2, delete: 3, truncate: 4, gap: 5 } as const;
export type ChangeKind = (typeof CHANGE_KINDS)[keyof typeof CHANGE_KINDS];

/** Logged as numbers: a new cause goes to the end. */
export const GAP_CAUSES = [
  /** An update or delete came without its whole old row: the table's replica identity is not FULL. */
  'replicaIdentity',
  /** The transaction is larger than what is followed. */
  'transactionTooLarge',
  /** A row did not fit its table's description, or left out a value that nothing else tells. */
  'rowMalformed',
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

export const HAS_OLD = 1;
export const HAS_NEW = 2;
export const CHANGE_HEADER_BYTES = 14;
const TUPLE_HEADER_BYTES = 6;
const N = 0x6e; // The first byte of `null`; every other value begins with a quote.

/** A tuple inside a change: its values as slices of the bytes around it. */
export class Tuple {
  constructor(
    readonly bytes: Uint8Array,
    private readonly view: DataView,
    private readonly start: number,
  ) {}

  get columnCount(): number {
    return this.view.getUint16(this.start + 4, true);
  }

  /** Where the value of column `index` begins in `bytes`. */
  valueStart(index: number): number {
    const first = this.firstValue();
    return index === 0 ? first : first + this.view.getUint32(this.start + TUPLE_HEADER_BYTES + 4 * (index - 1), true);
  }

  /** Where the value of column `index` ends in `bytes`. */
  valueEnd(index: number): number {
    return this.firstValue() + this.view.getUint32(this.start + TUPLE_HEADER_BYTES + 4 * index, true);
  }

  isNull(index: number): boolean {
    return this.bytes[this.valueStart(index)] === N;
  }

  /** The JSON of a value, quotes included; a view, not a copy. */
  json(index: number): Uint8Array {
    return this.bytes.subarray(this.valueStart(index), this.valueEnd(index));
  }

  /** Postgres's text of a value; null for NULL. */
  text(index: number): string | null {
    if (this.isNull(index)) return null;
    return jsonText(this.bytes, this.valueStart(index), this.valueEnd(index));
  }

  private firstValue(): number {
    return this.start + TUPLE_HEADER_BYTES + 4 * this.columnCount;
  }
}

/** @yields the changes that fill `bytes`, in their order. */
export function* changesIn(bytes: Uint8Array): Generator<Change> {
  const view = viewOf(bytes);
  for (let at = 0; at < bytes.length; ) {
    const change = new Change(bytes, at, view);
    yield change;
    at = change.end;
  }
}

/** For all the changes in the same bytes: to make one for each would take longer than to read what is asked of it. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A change at `start` of `bytes`; a view that lives as long as they do. */
export class Change {
  /** @param view of `bytes`. */
  constructor(
    readonly bytes: Uint8Array,
    readonly start: number,
    private readonly view = viewOf(bytes),
  ) {}

  /** Where the next change begins. */
  get end(): number {
    return this.start + 4 + this.view.getUint32(this.start, true);
  }

  get kind(): ChangeKind {
    const kind = this.bytes[this.start + 4] ?? 0;
    return isKind(kind) ? kind : unknown('kind', kind);
  }

  /** Which `RelationLayout` its tuples have. */
  get layoutId(): number {
    return this.view.getUint32(this.start + 6, true);
  }

  /** The second half of the operation's offset: even, two apart. A gap has no place of its own, and 0 here. */
  get position(): number {
    return this.view.getUint32(this.start + 10, true);
  }

  /** The row before the change: for updates and deletes. */
  get old(): Tuple | undefined {
    return this.has(HAS_OLD) ? this.tupleAt(this.start + CHANGE_HEADER_BYTES) : undefined;
  }

  /** The row after the change: for inserts and updates. */
  get new(): Tuple | undefined {
    if (!this.has(HAS_NEW)) return undefined;
    const first = this.start + CHANGE_HEADER_BYTES;
    return this.tupleAt(this.has(HAS_OLD) ? first + 4 + this.view.getUint32(first, true) : first);
  }

  /** Why the change is a gap; asked of a gap alone. */
  get cause(): GapCause {
    const place = this.bytes[this.start + CHANGE_HEADER_BYTES] ?? GAP_CAUSES.length;
    return GAP_CAUSES[place] ?? unknown('cause', place);
  }

  private has(flag: number): boolean {
    return ((this.bytes[this.start + 5] ?? 0) & flag) !== 0;
  }

  private tupleAt(start: number): Tuple {
    return new Tuple(this.bytes, this.view, start);
  }
}

function isKind(kind: number): kind is ChangeKind {
  return kind >= CHANGE_KINDS.insert && kind <= CHANGE_KINDS.gap;
}

/** Passing over it would lose what it says. */
function unknown(what: string, found: number): never {
  invariant(false, `the log holds a change of an unknown ${what}: ${found}`);
}

const decoder = new TextDecoder();
const BACKSLASH = 0x5c;

/** The text inside a JSON string that lies, quotes included, in `bytes` from `start` to `end`. */
export function jsonText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start + 1; at < end - 1; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === BACKSLASH) return JSON.parse(decoder.decode(bytes.subarray(start, end)));
    if (byte > 0x7f || at - start > 64) return longText(bytes, start, end);
    text += String.fromCharCode(byte);
  }
  return text;
}

function longText(bytes: Uint8Array, start: number, end: number): string {
  const slice = bytes.subarray(start, end);
  const text = decoder.decode(slice);
  return slice.includes(BACKSLASH) ? JSON.parse(text) : text.slice(1, -1);
}
