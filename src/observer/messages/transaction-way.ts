/**
 * TransactionWay: one transaction on its way from Postgres to the clients, told from what was recorded.
 *
 * No message carries a row or an xid: they carry positions. So its way is put together from where it came in, by which sync it
 * became durable, which Consumers were brought the block that it is in, and when their logs could be read up to it.
 */
import { compareLsn, lsnToPostgres, type Lsn } from '../../model/lsn.ts';
import { lsnOfOffset } from '../../model/log-offset.ts';
import type { Recorded, Recorder, WayRecord } from '../recording/recorder.ts';
import type { MessageRecord } from '../recording/record-views.ts';
import type { TransactionStage, TransactionView } from '../views.ts';

export interface TransactionAsked {
  readonly xid: string | undefined;
  readonly lsn: Lsn | undefined;
}

export interface TransactionWay {
  readonly view: TransactionView;
  isPinned(record: MessageRecord): boolean;
}

type At<Kind extends WayRecord['type']> = Extract<Recorded, { type: Kind }>;

const STAGES_MAX = 500;

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
function receivedOf(recorder: Recorder, { xid, lsn }: TransactionAsked): At<'received'> | undefined {
  for (const record of recorder.newestFirst()) {
    if (record.type !== 'received') continue;
    if (xid === undefined ? record.lsn === lsn : String(record.xid) === xid) return record;
  }
  return undefined;
}

class WayReading {
  private readonly stages: TransactionStage[] = [];
  private position: number | null = null;
  /** Consumers that were brought it, and have yet to answer; by the request's `replyTo`. */
  private readonly brought = new Map<string, string>();
  private left = STAGES_MAX;

  constructor(
    private readonly recorder: Recorder,
    private readonly lsn: Lsn,
    private readonly received: At<'received'> | undefined,
    private readonly pinned: Set<MessageRecord>,
  ) {}

  read(): { readonly stages: readonly TransactionStage[]; readonly position: number | null } {
    const { received } = this;
    if (received !== undefined) this.tell('received', received.atMs, null, `its commit came from Postgres`);
    for (const record of this.recorder.records()) {
      if (received !== undefined && record.n < received.n) continue;
      if (record.type === 'send') this.readMessage(record);
      else if (record.type === 'published') this.readPublished(record);
    }
    return { stages: this.stages, position: this.position };
  }

  private readMessage(record: MessageRecord): void {
    const { type, through, lsn } = record.message;
    if (type === 'log.extended' && typeof through === 'number') this.readExtended(record, through, lsn);
    else if (this.position !== null && typeof through === 'number' && through >= this.position) this.readBrought(record, type);
    else this.readTaken(record);
  }

  private readExtended(record: MessageRecord, through: number, lsn: unknown): void {
    if (this.position !== null || typeof lsn !== 'string' || compareLsn(lsn as Lsn, this.lsn) < 0) return;
    this.position = through;
    this.pinned.add(record);
    this.tell('durable', record.atMs, null, `the transaction log holds it, before byte ${through}`);
  }

  private readBrought(record: MessageRecord, type: string): void {
    if (type !== 'batch' && type !== 'logOffered' && type !== 'fragment') return;
    const { replyTo } = record.message;
    const handle = idOf(record.to);
    if (typeof replyTo !== 'string' || [...this.brought.values()].includes(handle)) return;
    this.brought.set(record.to, handle);
    this.pinned.add(record);
    this.tell('routed', record.atMs, handle, `brought to the shape's Consumer by '${type}'`);
  }

  private readTaken(record: MessageRecord): void {
    const handle = this.brought.get(record.from);
    if (handle === undefined || !record.message.type.startsWith('batch.')) return;
    this.pinned.add(record);
    this.tell('taken', record.atMs, handle, `the Consumer answered '${record.message.type}'`);
  }

  private readPublished({ atMs, handle, end, readers }: At<'published'>): void {
    if (lsnOfOffset(end) !== this.lsn) return;
    this.tell('published', atMs, handle, `readable up to ${end}`);
    if (readers > 0) this.tell('answered', atMs, handle, `${readers} ${readers === 1 ? 'request' : 'requests'} that waited`);
  }

  private tell(stage: TransactionStage['stage'], atMs: number, handle: string | null, text: string): void {
    if (this.left === 0) return;
    this.left -= 1;
    this.stages.push({ stage, atMs: this.recorder.epochMs(atMs), handle, text });
  }
}

/** The id of a Consumer is its shape's handle. */
function idOf(pid: string): string {
  return pid.slice(pid.lastIndexOf('/') + 1, pid.lastIndexOf('#'));
}
