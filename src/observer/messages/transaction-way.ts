/**
 * TransactionWay: one transaction on its way from Postgres to the clients, told from what was recorded.
 *
 * No message carries a row or an xid: they carry positions. So its way is put together from where it came in, by which sync it
 * became durable, which Consumers were brought the block that it is in, and when their logs could be read up to it.
 */
import { compareLsn, lsnToPostgres, type Lsn } from '../../model/lsn.ts';
import { lsnOfOffset } from '../../model/log-offset.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { MessageRecord } from '../recording/record-views.ts';
import type { Published, Received } from '../recording/ways.ts';
import type { TransactionStage, TransactionView } from '../views/messages.ts';

export interface TransactionAsked {
  readonly xid: string | undefined;
  readonly lsn: Lsn | undefined;
}

export interface TransactionWay {
  readonly view: TransactionView;
  isPinned(record: MessageRecord): boolean;
}

const STAGES_MAX = 500;
const BRINGING: ReadonlySet<string> = new Set(['batch', 'logOffered', 'fragment']);

export function transactionWay(recorder: Recorder, asked: TransactionAsked): TransactionWay {
  const received = receivedOf(recorder, asked);
  const lsn = received?.lsn ?? asked.lsn;
  const pinned = new Set<MessageRecord>();
  const told = lsn === undefined ? undefined : new WayReading(recorder, lsn, received, pinned).read();
  return {
    view: {
      xid: received === undefined ? (asked.xid ?? null) : String(received.xid),
      lsn: lsn === undefined ? null : lsnToPostgres(lsn),
      position: told?.position ?? null,
      stages: told?.stages ?? [],
    },
    isPinned: (record) => pinned.has(record),
  };
}

/** The newest: ids of transactions come again after a long time, or on another cluster. */
function receivedOf(recorder: Recorder, { xid, lsn }: TransactionAsked): Received | undefined {
  for (const received of recorder.received()) {
    if (xid === undefined ? received.lsn === lsn : String(received.xid) === xid) return received;
  }
  return undefined;
}

class WayReading {
  private readonly told: { readonly n: number; readonly stage: TransactionStage }[] = [];
  private position: number | null = null;
  /** Where the block ends that it was brought in: what is brought in later blocks is of other transactions. */
  private blockEnd: number | null = null;
  /** Consumers that were brought it and have yet to answer: their handles by their pids. */
  private readonly brought = new Map<string, string>();
  /** Whether all is recorded since before its sync: else the first sync that is may be one of long after. */
  private isWhole: boolean;

  constructor(
    private readonly recorder: Recorder,
    private readonly lsn: Lsn,
    private readonly received: Received | undefined,
    private readonly pinned: Set<MessageRecord>,
  ) {
    this.isWhole = received !== undefined && isHeldSince(recorder, received.n);
  }

  read(): { readonly stages: readonly TransactionStage[]; readonly position: number | null } {
    const { received } = this;
    const sinceN = received?.n ?? 0;
    if (received !== undefined) this.tell('received', received, null, 'its commit came from Postgres');
    for (const record of this.recorder.records()) if (record.n > sinceN && record.type === 'send') this.readMessage(record);
    for (const published of this.recorder.published()) {
      if (published.n < sinceN) break;
      this.readPublished(published);
    }
    const inOrder = this.told.sort((one, other) => one.n - other.n).slice(0, STAGES_MAX);
    return { stages: inOrder.map(({ stage }) => stage), position: this.position };
  }

  private readMessage(record: MessageRecord): void {
    const { type, through, lsn } = record.message;
    if (type === 'log.extended' && typeof through === 'number' && typeof lsn === 'string') this.readExtended(record, through, lsn as Lsn);
    else if (typeof through === 'number' && this.isItsBlock(type, through)) this.readBrought(record, type);
    else this.readTaken(record);
  }

  private readExtended(record: MessageRecord, through: number, lsn: Lsn): void {
    if (this.position !== null) return;
    const isBefore = compareLsn(lsn, this.lsn) < 0;
    if (isBefore || !(this.isWhole || lsn === this.lsn)) {
      this.isWhole ||= isBefore;
      return;
    }
    this.position = through;
    this.pinned.add(record);
    this.tell('durable', record, null, `the transaction log holds it, before byte ${through}`);
  }

  /** The first block that reaches behind it. All layers of Consumers get that one by the same end. */
  private isItsBlock(type: string, through: number): boolean {
    if (this.position === null || through < this.position || !BRINGING.has(type)) return false;
    this.blockEnd ??= through;
    return through === this.blockEnd;
  }

  private readBrought(record: MessageRecord, type: string): void {
    if (typeof record.message.replyTo !== 'string' || this.brought.has(record.to)) return;
    const handle = idOf(record.to);
    this.brought.set(record.to, handle);
    this.pinned.add(record);
    this.tell('routed', record, handle, `brought to the shape's Consumer by '${type}'`);
  }

  private readTaken(record: MessageRecord): void {
    const handle = this.brought.get(record.from);
    if (handle === undefined || !record.message.type.startsWith('batch.')) return;
    this.brought.delete(record.from); // What it answers later is of later blocks.
    this.pinned.add(record);
    this.tell('taken', record, handle, `the Consumer answered '${record.message.type}'`);
  }

  private readPublished(published: Published): void {
    const { handle, end, readers } = published;
    if (lsnOfOffset(end) !== this.lsn) return;
    this.tell('published', published, handle, `readable up to ${end}`);
    if (readers > 0) this.tell('answered', published, handle, `${readers} ${readers === 1 ? 'request' : 'requests'} that waited`);
  }

  private tell(name: TransactionStage['stage'], { n, atMs }: { n: number; atMs: number }, handle: string | null, text: string): void {
    this.told.push({ n, stage: { stage: name, atMs: this.recorder.epochMs(atMs), handle, text } });
  }
}

/** Records have whole numbers without a gap: nothing that came behind `n` has been pushed out. */
function isHeldSince(recorder: Recorder, n: number): boolean {
  const [oldest] = recorder.records();
  return oldest !== undefined && oldest.n <= Math.floor(n) + 1;
}

/** The id of a Consumer is its shape's handle. */
function idOf(pid: string): string {
  return pid.slice(pid.lastIndexOf('/') + 1, pid.lastIndexOf('#'));
}
