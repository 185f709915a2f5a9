/** A SnapshotTarget in memory: keeps the rows as values, and what was called in which order. */
import { Change, type Tuple } from '../../../src/model/change.ts';
import type { LineTemplate } from '../../../src/model/line-template.ts';
import type { PgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { SnapshotTarget } from '../../../src/postgres/snapshot/snapshot-port.ts';
import { texts } from './recording-sink.ts';

export class RecordingTarget implements SnapshotTarget {
  readonly relation: SnapshotTarget['relation'];
  readonly columns: readonly string[];
  readonly where: SnapshotTarget['where'];
  readonly rows: SnapshotTarget['rows'];
  readonly calls: string[] = [];
  readonly read: (string | null)[][] = [];
  /** Where it takes lines. */
  lines = '';
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
    template?: LineTemplate;
    tell?: (tuple: Tuple) => (string | null)[];
    accepts?: SnapshotTarget['accepts'];
  }) {
    this.relation = { schema: 'public', name: options.name };
    this.columns = options.columns;
    this.where = options.where;
    this.rows = options.wantsRows === false ? undefined : this.rowsBy(options.template);
    this.tell = options.tell ?? texts;
    this.accepts = options.accepts ?? (() => true);
  }

  begin(pgSnapshot: PgSnapshot): void {
    this.pgSnapshot = pgSnapshot;
    this.calls.push('begin');
  }

  complete(): Promise<void> {
    this.calls.push('complete');
    return Promise.resolve();
  }

  abort(error: Error): void {
    this.aborted = error;
    this.calls.push('abort');
  }

  private rowsBy(template: LineTemplate | undefined): SnapshotTarget['rows'] {
    if (template === undefined) return { as: 'changes', take: (fragment) => this.take(fragment) };
    return {
      as: 'lines',
      template,
      take: async ({ bytes }) => {
        this.lines += Buffer.from(bytes).toString('latin1');
        await this.gate();
      },
    };
  }

  private async take(fragment: Uint8Array): Promise<void> {
    for (let at = 0; at < fragment.length;) {
      const change = new Change(fragment, at);
      if (change.new !== undefined) this.read.push(this.tell(change.new));
      at = change.end;
    }
    if (this.calls.at(-1) !== 'rows') this.calls.push('rows');
    await this.gate();
  }
}
