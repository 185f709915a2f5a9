/** Forms: a window of the recording as a sequence, and the way of a transaction. docs/observer.md says what holds for all of them. */
import type { MessageView, TransitionView } from './processes.ts';
import type { RecordingView } from './service.ts';

/** `/api/messages?process=&from=&to=&xid=&lsn=&limit=`. */
export interface MessagesView {
  readonly atMs: number;
  /** The window that is shown. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * One per process that sends or gets something in the window, in the order of their first message. The pid `outside` is all
   * that is no process.
   */
  readonly lanes: readonly LaneView[];
  /** In causal order: a message comes behind everything that its sender had got before it sent it. */
  readonly steps: readonly SequenceStep[];
  /** Steps of the window that were left out, because they are more than `limit`. The oldest are. */
  readonly left: number;
  /** Of the transaction that was asked for. */
  readonly transaction: TransactionView | null;
  readonly recording: RecordingView;
}

export interface LaneView {
  readonly pid: string;
  readonly kind: string | null;
  readonly name: string | null;
  /** Null when it has ended. */
  readonly state: string | null;
}

export type SequenceStep = MessageStep | TransitionStep | LifeStep;

export interface MessageStep extends MessageView {
  readonly step: 'message';
  /** When it was handled, and behind which step (`n`) of the recording; null while it waits, or when nobody did. */
  readonly deliveredAtMs: number | null;
  readonly deliveredN: number | null;
  readonly isDropped: boolean;
  /** It speaks of the transaction that was asked for. */
  readonly isPinned: boolean;
}

export interface TransitionStep extends TransitionView {
  readonly step: 'transition';
}

export interface LifeStep {
  readonly step: 'spawn' | 'exit' | 'restart' | 'hibernate' | 'wake';
  readonly n: number;
  readonly atMs: number;
  readonly pid: string;
  /** Its supervisor, or in words why it ended. */
  readonly text: string;
}

/** A transaction's way from Postgres to the clients. */
export interface TransactionView {
  readonly xid: string | null;
  readonly lsn: string | null;
  /** In the transaction log, in bytes. */
  readonly position: number | null;
  /** In the order in which it took them. A stage that it has not reached yet, or that was not recorded, is missing. */
  readonly stages: readonly TransactionStage[];
}

export interface TransactionStage {
  readonly stage: 'received' | 'durable' | 'routed' | 'taken' | 'published' | 'answered';
  readonly atMs: number;
  /** Of its shape, from `taken` on. */
  readonly handle: string | null;
  readonly text: string;
}
