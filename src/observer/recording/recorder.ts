/**
 * Recorder: what processes do and say, written down while somebody looks, and for a while behind that.
 *
 * Nobody pays for it at other times: the runtime makes no record when nobody listens. While it records it formats nothing and
 * looks at no more of a message than its first fields; what is shown is made when it is asked for. What it holds is bounded.
 */
import type { Clock, TimerId } from '../../base/clock.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import type { Address, Message } from '../../otp/process.ts';
import type { Standing } from '../../otp/kernel/standing.ts';
import type { NumberedRecord } from '../../otp/kernel/trace.ts';
import type { Runtime } from '../../otp/runtime.ts';
import type { RecordingView } from '../views/service.ts';
import { Ring, type RingBounds } from './ring.ts';
import { Ways, type Published, type Received } from './ways.ts';

/**
 * `n` numbers all records since the recording began; `atMs` is on the clock's scale. `before` is where the machine stood that an event
 * is given to, or that is spawned: as it was, since no context is ever changed.
 */
export type Recorded = NumberedRecord & { readonly before?: Standing };

export interface RecorderOptions {
  readonly bounds?: RingBounds;
  /** For so long it goes on behind the last look. */
  readonly lingerMs?: number;
}

const BOUNDS: RingBounds = { itemsMax: 20_000, bytesMax: 16 * 1024 * 1024 };
const LINGER_MS = 60_000;
const RECORD_BYTES = 120;
/** Of the context that would be given back if nobody recorded. Mostly it is that of the event before, or shares its parts. */
const STANDING_BYTES = 200;
const FIELDS_MAX = 12;
const FIELD_BYTES = 32;

export class Recorder {
  private readonly ring: Ring<Recorded>;
  private readonly lingerMs: number;
  private detach: (() => void) | undefined;
  private timer: TimerId | undefined;
  private attachedMs = 0;
  private lookedAtMs = 0;
  /** Undefined while nobody looks. */
  private ways: Ways | undefined;
  private lastN = 0;

  constructor(
    private readonly runtime: Pick<Runtime, 'trace' | 'standing'>,
    private readonly clock: Pick<Clock, 'nowMs' | 'epochMicros' | 'setTimer' | 'clearTimer'>,
    { bounds = BOUNDS, lingerMs = LINGER_MS }: RecorderOptions = {},
  ) {
    this.ring = new Ring(bounds);
    this.lingerMs = lingerMs;
  }

  get isOn(): boolean {
    return this.detach !== undefined;
  }

  /** When the present recording began, on the clock's scale. */
  get beganMs(): number {
    return this.attachedMs;
  }

  /** Somebody looks: from now on all is recorded, until nobody has looked for a while. */
  look(): void {
    this.lookedAtMs = this.clock.nowMs();
    if (this.detach !== undefined) return;
    this.attachedMs = this.lookedAtMs;
    this.lastN = 0;
    this.ways = new Ways();
    this.detach = this.runtime.trace((record) => this.take(record));
    this.watch(this.lingerMs);
  }

  /** A transaction came whole from Postgres. Costs nothing while nobody looks. */
  noteReceived(xid: Xid, lsn: Lsn): void {
    this.ways?.noteReceived(this.between(), this.clock.nowMs(), xid, lsn);
  }

  /** A shape's log is readable up to there. @param readers how many requests wait for that. */
  notePublished(handle: Handle, end: LogOffset, readers: (handle: Handle) => number): void {
    this.ways?.notePublished(this.between(), this.clock.nowMs(), handle, end, readers(handle));
  }

  /** Newest first. */
  received(): Iterable<Received> {
    return this.ways?.received() ?? [];
  }

  /** Newest first; of that shape alone, if one is named. */
  published(handle?: Handle): Iterable<Published> {
    return this.ways?.published(handle) ?? [];
  }

  /** Oldest first. */
  records(): Iterable<Recorded> {
    return this.ring.all();
  }

  /** The newest ones, newest first: no more than `lookedAtMax` are looked at. */
  newestFirst(lookedAtMax?: number): Iterable<Recorded> {
    return this.ring.newestFirst(lookedAtMax);
  }

  /** On the scale of the wall's clock. */
  epochMs(atMs: number): number {
    return Math.round((this.clock.epochMicros() / 1000 - this.clock.nowMs() + atMs) * 1000) / 1000;
  }

  view(): RecordingView {
    const { oldest, newest, count, bytes } = this.ring;
    return {
      isOn: this.isOn,
      sinceMs: this.isOn ? this.epochMs(this.attachedMs) : null,
      fromMs: oldest === undefined ? null : this.epochMs(oldest.atMs),
      toMs: newest === undefined ? null : this.epochMs(newest.atMs),
      records: count,
      bytes,
    };
  }

  close(): void {
    this.stop();
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
  }

  private take(record: NumberedRecord): void {
    this.lastN = record.n;
    const before = this.standingBefore(record);
    const bytes = RECORD_BYTES + ('message' in record ? estimatedBytes(record.message) : 0);
    if (before === undefined) this.ring.push(record, bytes);
    else this.ring.push(Object.assign(record, { before }), bytes + STANDING_BYTES); // A record is made for each listener.
  }

  private standingBefore(record: NumberedRecord): Standing | undefined {
    if (record.type === 'deliver') return this.runtime.standing(record.to);
    return record.type === 'spawn' ? this.runtime.standing(record.process) : undefined;
  }

  private watch(delayMs: number): void {
    this.timer = this.clock.setTimer(() => {
      const leftMs = this.lookedAtMs + this.lingerMs - this.clock.nowMs();
      if (leftMs > 0) this.watch(leftMs);
      else this.stop();
    }, delayMs);
  }

  private stop(): void {
    this.detach?.();
    this.detach = undefined;
    this.ways = undefined;
    this.ring.clear();
  }

  /** What is told from outside of the processes has a number behind the last record's, and before the next one's. */
  private between(): number {
    this.lastN += 0.000_001;
    return this.lastN;
  }
}

/** Whether it is about this process: a message that it sent or got, its transitions, its life. */
export function concerns(record: Recorded, pid: Address): boolean {
  if ('process' in record && record.process === pid) return true;
  return 'to' in record && (record.to === pid || record.from === pid);
}

/** Of its first fields, by their form: a message is held as it is, and not looked through. */
function estimatedBytes(message: Message): number {
  let bytes = 0;
  let fields = 0;
  for (const name in message) {
    if (fields === FIELDS_MAX) break;
    fields += 1;
    bytes += FIELD_BYTES + lengthOf(message[name]);
  }
  return bytes;
}

function lengthOf(field: unknown): number {
  if (typeof field === 'string') return field.length;
  return Array.isArray(field) ? field.length * FIELD_BYTES : 0;
}
