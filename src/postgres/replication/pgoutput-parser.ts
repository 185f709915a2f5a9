/**
 * PgoutputParser: the messages of the logical replication stream (plugin pgoutput, protocol version 1, text values).
 *
 * It reads byte slices and copies nothing: a tuple is a list of places in the message's own bytes. What it cannot
 * account for to the last byte is an error, never skipped: a misread change would be a wrong row for ever. What a message
 * says of its sizes is believed until its end: if that is wrong, its parts end elsewhere.
 */
import type { Xid } from '../../model/pg-snapshot.ts';

export class PgoutputError extends Error {
  override readonly name = 'PgoutputError';
}

/** What the parser tells, in the order of the stream. Tuples are reused: valid during the call alone. */
export interface PgoutputHandler {
  /** @param finalLsn where the transaction's commit record begins. */
  begin(finalLsn: bigint, xid: Xid): void;
  /**
   * @param endLsn where the commit record ends.
   * @param commitMicros microseconds since 2000 on the clock of Postgres.
   */
  commit(commitLsn: bigint, endLsn: bigint, commitMicros: bigint): void;
  relation(relation: PgoutputRelation): void;
  insert(oid: number, row: PgoutputTuple): void;
  update(oid: number, old: OldTuple | undefined, row: PgoutputTuple): void;
  delete(oid: number, old: OldTuple): void;
  truncate(oids: readonly number[]): void;
}

export interface PgoutputRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly typeOid: number; readonly typeMod: number }[];
}

export interface OldTuple {
  /** False when Postgres sent only the replica identity's key, the other columns as NULL. */
  readonly isFull: boolean;
  readonly tuple: PgoutputTuple;
}

export const VALUE = { null: 0x6e, unchanged: 0x75, text: 0x74 } as const;

/** Places of a tuple's values in `bytes`. */
export class PgoutputTuple {
  bytes: Uint8Array = new Uint8Array(0);
  count = 0;
  /** Some value is left out, as an update does with a value that lies, unchanged, in the TOAST table. */
  hasUnchanged = false;
  private kinds = new Uint8Array(32);
  private starts = new Uint32Array(32);
  private ends = new Uint32Array(32);

  kind(index: number): number {
    return this.kinds[index] as number; // Below `count`.
  }

  start(index: number): number {
    return this.starts[index] as number;
  }

  end(index: number): number {
    return this.ends[index] as number;
  }

  /** Begins anew. */
  reset(bytes: Uint8Array, count: number): void {
    this.bytes = bytes;
    this.count = count;
    this.hasUnchanged = false;
    if (count <= this.kinds.length) return;
    this.kinds = new Uint8Array(count);
    this.starts = new Uint32Array(count);
    this.ends = new Uint32Array(count);
  }

  set(index: number, kind: number, start: number, end: number): void {
    if (kind === VALUE.unchanged) this.hasUnchanged = true;
    this.kinds[index] = kind;
    this.starts[index] = start;
    this.ends[index] = end;
  }
}

const code = (letter: string): number => letter.charCodeAt(0);
const BEGIN = code('B'), COMMIT = code('C'), ORIGIN = code('O'), RELATION = code('R'), TYPE = code('Y');
const INSERT = code('I'), UPDATE = code('U'), DELETE = code('D'), TRUNCATE = code('T');
const KEY = code('K'), OLD = code('O'), NEW = code('N');
const TRUNCATE_OPTIONS_MAX = 3;

/** A name may begin with what would otherwise count as a byte order mark, and be left out. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class PgoutputParser {
  private bytes: Uint8Array = new Uint8Array(0);
  /** Of `bytes`, which have many messages. */
  private view = viewOf(this.bytes);
  private at = 0;
  private end = 0;
  private readonly oldTuple = new PgoutputTuple();
  private readonly newTuple = new PgoutputTuple();
  private readonly handler: PgoutputHandler;

  constructor(handler: PgoutputHandler) {
    this.handler = handler;
  }

  /**
   * Reads one message, which fills `bytes` from `start` to `end`, and tells the handler.
   *
   * @throws {PgoutputError} the message is malformed: the handler was told nothing of it.
   */
  parse(bytes: Uint8Array, start: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    this.at = start;
    this.end = end;
    const type = this.uint8();
    switch (type) {
      case INSERT: return this.insert();
      case UPDATE: return this.update();
      case DELETE: return this.delete();
      case BEGIN: return this.begin();
      case COMMIT: return this.commit();
      case RELATION: return this.relation();
      case TRUNCATE: return this.truncate();
      case TYPE: return this.type();
      case ORIGIN: return this.origin();
      default: throw new PgoutputError(`unknown message type ${JSON.stringify(String.fromCharCode(type))}`);
    }
  }

  private begin(): void {
    const finalLsn = this.uint64();
    this.uint64(); // The time of the commit: nobody asks.
    const xid = this.uint32() as Xid;
    this.finish();
    this.handler.begin(finalLsn, xid);
  }

  private commit(): void {
    const flags = this.uint8();
    if (flags !== 0) throw new PgoutputError(`unknown commit flags ${flags}`);
    const commitLsn = this.uint64();
    const endLsn = this.uint64();
    const commitMicros = this.uint64();
    this.finish();
    this.handler.commit(commitLsn, endLsn, commitMicros);
  }

  private relation(): void {
    const oid = this.uint32();
    const schema = this.text();
    const name = this.text();
    this.uint8(); // The replica identity: what it is worth shows in the changes themselves.
    const columns = Array.from({ length: this.uint16() }, () => {
      this.uint8(); // Whether the column is part of the key.
      return { name: this.text(), typeOid: this.uint32(), typeMod: this.uint32() | 0 };
    });
    this.finish();
    this.handler.relation({ oid, schema, name, columns });
  }

  private insert(): void {
    const oid = this.uint32();
    this.expect(NEW);
    this.tuple(this.newTuple);
    this.finish();
    this.handler.insert(oid, this.newTuple);
  }

  private update(): void {
    const oid = this.uint32();
    const first = this.uint8();
    const old = first === NEW ? undefined : this.oldTupleOf(first);
    if (old !== undefined) this.expect(NEW);
    this.tuple(this.newTuple);
    this.finish();
    this.handler.update(oid, old, this.newTuple);
  }

  private delete(): void {
    const oid = this.uint32();
    const old = this.oldTupleOf(this.uint8());
    this.finish();
    this.handler.delete(oid, old);
  }

  private truncate(): void {
    const count = this.uint32();
    const options = this.uint8();
    if (options > TRUNCATE_OPTIONS_MAX) throw new PgoutputError(`unknown truncate options ${options}`);
    const oids = Array.from({ length: count }, () => this.uint32());
    this.finish();
    this.handler.truncate(oids);
  }

  private type(): void {
    this.uint32();
    this.text();
    this.text();
    this.finish();
  }

  private origin(): void {
    this.uint64();
    this.text();
    this.finish();
  }

  private oldTupleOf(marker: number): OldTuple {
    if (marker !== KEY && marker !== OLD) throw new PgoutputError(`unknown tuple marker ${marker}`);
    this.tuple(this.oldTuple);
    return { isFull: marker === OLD, tuple: this.oldTuple };
  }

  private tuple(tuple: PgoutputTuple): void {
    const count = this.uint16();
    tuple.reset(this.bytes, count);
    for (let index = 0; index < count; index += 1) {
      const kind = this.uint8();
      if (kind === VALUE.text) {
        const size = this.uint32();
        tuple.set(index, kind, this.at, this.at + size);
        this.at += size;
      } else if (kind === VALUE.null || kind === VALUE.unchanged) {
        tuple.set(index, kind, this.at, this.at);
      } else {
        throw new PgoutputError(`unknown kind of value ${kind}`);
      }
    }
  }

  private expect(marker: number): void {
    const found = this.uint8();
    if (found !== marker) throw new PgoutputError(`expected tuple marker ${marker}, found ${found}`);
  }

  private finish(): void {
    if (this.at !== this.end) throw new PgoutputError(`the message ends ${this.end - this.at} bytes behind its last part`);
  }

  private uint8(): number {
    return this.bytes[this.at++] as number;
  }

  private uint16(): number {
    return (this.uint8() << 8) | this.uint8();
  }

  private uint32(): number {
    const { bytes, at } = this;
    if (this.end - at < 4) throw new PgoutputError('the message ends inside a number'); // Else a list could have no end.
    this.at = at + 4;
    const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    return ((high << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
  }

  private uint64(): bigint {
    const { at } = this;
    if (this.end - at < 8) throw new PgoutputError('the message ends inside a number');
    this.at = at + 8;
    return this.view.getBigUint64(at);
  }

  private text(): string {
    const zero = this.bytes.indexOf(0, this.at);
    if (zero < 0) throw new PgoutputError('a text without its end');
    const text = decoder.decode(this.bytes.subarray(this.at, zero));
    this.at = zero + 1;
    return text;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
