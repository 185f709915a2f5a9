/** A SnapshotTarget in memory: keeps the rows as values, and what was called in which order. */
import { Change, type Tuple } from '../../../src/model/change.ts';
import type { PgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { SnapshotTarget } from '../../../src/postgres/snapshot/snapshot-port.ts';
import { texts } from './recording-sink.ts';

export class RecordingTarget implements SnapshotTarget {
  readonly relation: SnapshotTarget['relation'];
  readonly columns: readonly string[];
  readonly where: SnapshotTarget['where'];
  readonly wantsRows: boolean;
  readonly calls: string[] = [];
  readonly read: (string | null)[][] = [];
  pgSnapshot: PgSnapshot | undefined;
  aborted: Error | undefined;
  /** Awaited by each fragment. */
  gate: () => Promise<void> = () => Promise.resolve();
  private readonly tell: (tuple: Tuple) => (string | null)[];

  readonly accepts: SnapshotTarget['accepts'];

  constructor(options: {
    name: string;
    columns: readonly string[];
    where?: SnapshotTarget['where'];
    wantsRows?: boolean;
    tell?: (tuple: Tuple) => (string | null)[];
    accepts?: SnapshotTarget['accepts'];
  }) {
    this.relation = { schema: 'public', name: options.name };
    this.columns = options.columns;
    this.where = options.where;
    this.wantsRows = options.wantsRows ?? true;
    this.tell = options.tell ?? texts;
    this.accepts = options.accepts ?? (() => true);
  }

  begin(pgSnapshot: PgSnapshot): void {
    this.pgSnapshot = pgSnapshot;
    this.calls.push('begin');
  }

  async rows(fragment: Uint8Array): Promise<void> {
    for (let at = 0; at < fragment.length;) {
      const change = new Change(fragment, at);
      if (change.new !== undefined) this.read.push(this.tell(change.new));
      at = change.end;
    }
    if (this.calls.at(-1) !== 'rows') this.calls.push('rows');
    await this.gate();
  }

  complete(): Promise<void> {
    this.calls.push('complete');
    return Promise.resolve();
  }

  abort(error: Error): void {
    this.aborted = error;
    this.calls.push('abort');
  }
}
