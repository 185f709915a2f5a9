/**
 * RowHistory: what a shape's log tells of one row, from as far back as is looked, and whether the row is in the shape by that.
 *
 * It goes as a client goes: an insert brings the row, a delete takes it, and an event takes it when it names the row by a tag and no
 * disjunct of the filter is left by which it would stay.
 */
import type { LogEntry } from '../../model/log-entry.ts';
import { BEFORE_ALL, SNAPSHOT_END, type LogOffset } from '../../model/log-offset.ts';
import { AbandonedError } from './log-searches.ts';
import type { ToldShape } from './told-shape.ts';

export const HISTORY_BYTES_MAX = 16 * 1024 * 1024;
const ENTRIES_MAX = 10;
const MESSAGE_CHARACTERS_MAX = 4096;

export interface RowHistory {
  /** Undefined where the row may stand further back than was looked. */
  readonly isIn: boolean | undefined;
  /** It went with what a subquery selects, and by no change of its own. */
  readonly hasMovedOut: boolean;
  /** The newest last. */
  readonly entries: readonly ToldEntry[];
  /** How many more there are before these. */
  readonly entriesLeftOut: number;
  /** `-1` for all of it. */
  readonly lookedFrom: LogOffset;
}

export interface ToldEntry {
  readonly offset: LogOffset;
  /** As on the wire; of a long one its headers alone, and of an event the row's own patterns. */
  readonly message: unknown;
}

interface Message {
  readonly key?: string;
  readonly value?: unknown;
  readonly headers: {
    readonly operation?: string;
    readonly event?: string;
    readonly lsn?: string;
    readonly patterns?: readonly Pattern[];
    readonly tags?: readonly string[];
    readonly active_conditions?: readonly boolean[];
  };
}

interface Pattern {
  readonly pos: number;
  readonly value: string;
}

/** @throws {AbandonedError} when `signal` is aborted before the end. */
export async function rowHistory(shape: ToldShape, key: string, signal: AbortSignal): Promise<RowHistory> {
  const tail = shape.tailFrom(HISTORY_BYTES_MAX);
  const lookedFrom = tail === SNAPSHOT_END && snapshotBytes(shape) <= HISTORY_BYTES_MAX ? BEFORE_ALL : tail;
  const followed = new FollowedRow(key, lookedFrom === BEFORE_ALL);
  if (shape.snapshot.state === 'awaited') return followed.told(BEFORE_ALL);
  for await (const entries of shape.entries(lookedFrom)) {
    if (signal.aborted) throw new AbandonedError();
    for (const entry of entries) followed.take(entry);
  }
  return followed.told(lookedFrom);
}

/** One that is still being written is not waited for. */
function snapshotBytes({ snapshot }: ToldShape): number {
  return snapshot.state === 'complete' ? snapshot.bytes : Infinity;
}

class FollowedRow {
  private readonly start: Buffer;
  private isIn: boolean | undefined;
  private tags: readonly string[] = [];
  private active: boolean[] = [];
  private entries: ToldEntry[] = [];
  private count = 0;
  private hasMovedOut = false;

  constructor(key: string, isWhole: boolean) {
    this.start = Buffer.from(`{"key":${JSON.stringify(key)},`);
    this.isIn = isWhole ? false : undefined;
  }

  take({ offset, bytes }: LogEntry): void {
    if (begins(bytes, this.start)) this.takeRow(offset, read(bytes));
    else if (this.isIn === true && this.tags.length > 0 && begins(bytes, EVENT)) this.takeEvent(offset, read(bytes));
  }

  told(lookedFrom: LogOffset): RowHistory {
    const { isIn, hasMovedOut, entries, count } = this;
    return { isIn, hasMovedOut, entries, entriesLeftOut: count - entries.length, lookedFrom };
  }

  private takeRow(offset: LogOffset, message: Message): void {
    const { operation, lsn, tags = [], active_conditions: active = [] } = message.headers;
    this.isIn = operation !== 'delete';
    this.hasMovedOut = operation === 'delete' && lsn === undefined; // A change of its own has a place in Postgres's log.
    this.tags = tags;
    this.active = [...active];
    this.note(offset, message);
  }

  private takeEvent(offset: LogOffset, message: Message): void {
    const { event, patterns = [] } = message.headers;
    const slots = this.tags.map((tag) => tag.split('/'));
    const own = patterns.filter(({ pos, value }) => slots.some((slot) => slot[pos] === value));
    if (own.length === 0) return;
    for (const { pos } of own) this.active[pos] = event === 'move-in';
    this.isIn = slots.some((slot) => slot.every((value, pos) => value === '' || this.active[pos] === true));
    this.hasMovedOut = !this.isIn;
    this.note(offset, { headers: { ...message.headers, patterns: own } });
  }

  private note(offset: LogOffset, message: Message): void {
    const isLong = JSON.stringify(message).length > MESSAGE_CHARACTERS_MAX;
    this.entries = [...this.entries, { offset, message: isLong ? { headers: message.headers } : message }].slice(-ENTRIES_MAX);
    this.count += 1;
  }
}

const EVENT = Buffer.from('{"headers":{"event":');

function begins(bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes.length < start.length) return false;
  for (let index = start.length - 1; index >= 0; index -= 1) if (bytes[index] !== start[index]) return false;
  return true;
}

function read(bytes: Uint8Array): Message {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as Message;
}
