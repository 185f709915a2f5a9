/**
 * Writes: what was done here, shown at once, until the shape brings it or it fails.
 *
 * A write must be let go of in the moment in which the shape has it. Sooner, and the old state flashes up; later, and it hides what others
 * do to the same todo. The server answers with the number of the write's transaction, and each message of the shape names those that it
 * comes from (`txids`). Either may be first.
 *
 * First rows name no transactions. So what was under way when the shape came to their end, at the start or because it began anew, is let
 * go of once it is answered: it is among them, or comes within a moment.
 */
import type { Change } from '../change.ts';

/** The message is for whoever made the write. */
export class WriteError extends Error {
  override readonly name = 'WriteError';
}

/** Of a message of the client, what is read here. */
export interface ShapeMessage {
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface FailedWrite {
  readonly change: Change;
  readonly reason: string;
}

export interface WritesState {
  /** In the order in which they were made. */
  readonly pending: readonly Change[];
  readonly failed: readonly FailedWrite[];
}

interface Pending {
  readonly change: Change;
  /** Undefined until it is answered. */
  txid: number | undefined;
  /** It may be among first rows, which would not name it. */
  mayBeInFirstRows: boolean;
}

export class Writes {
  private pending: readonly Pending[] = [];
  private failed: readonly FailedWrite[] = [];
  private state: WritesState = { pending: [], failed: [] };
  /** Of what the shape brought while a write was not answered. */
  private readonly arrived = new Set<number>();
  private isBehindFirstRows = false;
  private sending: Promise<void> = Promise.resolve();
  private readonly listeners = new Set<() => void>();

  /** @param send makes a change. @throws {WriteError} and why it was not made. */
  constructor(private readonly send: (change: Change) => Promise<number | null>) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The same value until something changes. */
  readonly current = (): WritesState => this.state;

  /** One is sent after the other is answered: two ticks of a todo must not overtake each other. */
  make(change: Change): void {
    const write: Pending = { change, txid: undefined, mayBeInFirstRows: !this.isBehindFirstRows };
    this.pending = [...this.pending, write];
    this.settle();
    this.sending = this.sending.then(() => this.sendOne(write));
  }

  /** Makes it once more. */
  retry(write: FailedWrite): void {
    this.dismiss(write);
    this.make(write.change);
  }

  dismiss(write: FailedWrite): void {
    this.failed = this.failed.filter((other) => other !== write);
    this.settle();
  }

  /** Told of everything that the shape brings. */
  readonly take = (messages: readonly ShapeMessage[]): void => {
    for (const { control, txids } of messages.map(({ headers }) => headers)) {
      if (Array.isArray(txids)) for (const txid of txids) this.arrived.add(Number(txid));
      if (control === 'must-refetch') this.isBehindFirstRows = false;
      if (control === 'up-to-date') this.comeToEnd();
    }
    this.settle();
  };

  private comeToEnd(): void {
    if (!this.isBehindFirstRows) for (const write of this.pending) write.mayBeInFirstRows = true;
    this.isBehindFirstRows = true;
  }

  private async sendOne(write: Pending): Promise<void> {
    try {
      const txid = await this.send(write.change);
      if (txid === null) this.letGo(write);
      else write.txid = txid;
    } catch (error) {
      if (!(error instanceof WriteError)) throw error;
      this.letGo(write);
      this.failed = [...this.failed, { change: write.change, reason: error.message }];
    }
    this.settle();
  }

  private letGo(write: Pending): void {
    this.pending = this.pending.filter((other) => other !== write);
  }

  private settle(): void {
    this.pending = this.pending.filter((write) => !this.hasCome(write));
    if (this.pending.every(({ txid }) => txid !== undefined)) this.arrived.clear();
    this.state = { pending: this.pending.map(({ change }) => change), failed: this.failed };
    for (const listener of this.listeners) listener();
  }

  private hasCome({ txid, mayBeInFirstRows }: Pending): boolean {
    return txid !== undefined && (mayBeInFirstRows ? this.isBehindFirstRows : this.arrived.has(txid));
  }
}
