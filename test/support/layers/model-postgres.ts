/**
 * ModelPostgres: what the service sees of a database of two tables. Its stream, its snapshots and the rows of moves go through the ports
 * of the service, each in steps of its own, so that anything may happen between a snapshot and its answer.
 *
 * A commit is logged, streamed and shown at three different times. The WAL goes on behind each commit by what is none of ours.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot, Xid } from '../../../src/model/pg-snapshot.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Address, Message, PortContext, PortSpec } from '../../../src/otp/process.ts';
import { LineEncoder } from '../../../src/postgres/encoding/line-encoder.ts';
import { DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import { SchemaChangedError, snapshotRefusal } from '../../../src/postgres/snapshot/snapshot-error.ts';
import { refusedMoves, type MoveQueryTarget } from '../../../src/postgres/snapshot/move-queries.ts';
import type { SnapshotTarget } from '../../../src/postgres/snapshot/snapshot-port.ts';
import type { ReadTable } from '../../../src/postgres/snapshot/table-look.ts';
import type { LogIntake } from '../../../src/storage/log/log-intake.ts';
import { changeBytes, type Row } from '../actors/changes.ts';
import { dataRowOf } from '../postgres/wire-rows.ts';
import { ModelDatabase, type CommittedTransaction, type Wish } from '../hand-over/model-database.ts';
import { TABLES } from './layered-shapes.ts';

/** Of the WAL, behind the begin of a commit's record: that record, and what others wrote. */
const COMMIT_BYTES = 3;
const OTHERS_BYTES = 5;

/** What becomes of the rows that are read. */
export interface Targets {
  /** Whether the shape's query takes a row now. Undefined when nobody can say what its subqueries select. */
  readonly filterOf: (handle: Handle) => ((row: Row) => boolean) | undefined;
  readonly snapshot: (handle: Handle) => SnapshotTarget | undefined;
  readonly moves: (handle: Handle, views: readonly LogOffset[]) => MoveQueryTarget<unknown> | undefined;
}

export class ModelPostgres {
  readonly database = new ModelDatabase();
  /** How many commits the stream has brought. */
  private streamed = 0;
  private readonly layouts = new Map<string, number>();

  constructor(
    private readonly intake: LogIntake,
    private readonly targets: Targets,
  ) {}

  /** Begins, commits and shows transactions; each commit goes on to the stream, in order. */
  writerPort(): PortSpec {
    const xids: Xid[] = [];
    const xidOf = (index: unknown): Xid => {
      const xid = xids[Number(index)];
      invariant(xid !== undefined, 'a transaction begins before it commits');
      return xid;
    };
    return {
      name: '@writer',
      open: ({ send }) => ({
        requests: {},
        casts: {
          begin: () => void xids.push(this.database.begin()),
          commit: ({ index, wishes }) => {
            this.database.commit(xidOf(index), wishes as readonly Wish[]);
            send('@replication', { type: 'committed' });
          },
          show: ({ index }) => this.database.show(xidOf(index)),
        },
      }),
    };
  }

  /** Its own state is that of the database: a slot. */
  replicationPort(): PortSpec {
    return {
      name: '@replication',
      open: () => ({
        requests: {},
        casts: {
          committed: () => this.streamNext(),
          acknowledge: () => {},
          askProgress: () => this.intake.progress(this.streamed < this.database.committed.length ? this.streamedLsn : this.insertLsn, true),
        },
      }),
    };
  }

  snapshotPort(): PortSpec {
    return {
      name: '@snapshots',
      open: (context) => {
        const latency = new Latency(context, '@snapshots');
        const requests = {
          takeSnapshot: (request: Message, signal: AbortSignal) => this.takeSnapshot(context, latency, request, signal),
        };
        return { requests, casts: { answer: (told) => latency.pass(told) } };
      },
    };
  }

  moveQueryPort(): PortSpec {
    return {
      name: '@move-queries',
      open: (context) => {
        const latency = new Latency(context, '@move-queries');
        const requests = {
          queryMoves: ({ handle, views }: Message, signal: AbortSignal) =>
            this.queryMoves(latency, handle as Handle, views as readonly LogOffset[], signal),
        };
        return { requests, casts: { answer: (told) => latency.pass(told) } };
      },
    };
  }

  private streamNext(): void {
    const transaction = this.database.committed[this.streamed];
    invariant(transaction !== undefined, 'what is streamed was committed');
    const layouts = new Set(transaction.changes.map((change) => this.append(transaction, change)));
    this.streamed += 1;
    this.intake.commit(transaction.xid, transaction.lsn, behind(transaction.lsn, COMMIT_BYTES), layouts);
  }

  private append({ xid, changes }: CommittedTransaction, change: CommittedTransaction['changes'][number]): number {
    const layoutId = this.layoutOf(change.table);
    this.intake.changes(xid, changeBytes({ ...change, layoutId, position: 2 * changes.indexOf(change) }));
    return layoutId;
  }

  private layoutOf(table: string): number {
    const known = this.layouts.get(table);
    if (known !== undefined) return known;
    const relation = TABLES.find(({ name }) => name === table);
    invariant(relation !== undefined, 'only these tables are written');
    const columns = relation.columns.map(({ name, typeOid, typeMod }) => ({ name, typeOid, typeMod }));
    const id = this.intake.layout({ oid: relation.oid, schema: relation.schema, name: relation.name, columns });
    this.layouts.set(table, id);
    return id;
  }

  private get streamedLsn(): Lsn {
    const last = this.database.committed[this.streamed - 1];
    return behind(last?.lsn ?? '0', last === undefined ? 0 : COMMIT_BYTES);
  }

  private get insertLsn(): Lsn {
    return behind(this.database.committed.at(-1)?.lsn ?? '0', OTHERS_BYTES);
  }

  private read(table: string): { readonly pgSnapshot: PgSnapshot; readonly rows: readonly Row[] } {
    const { pgSnapshot, rows } = this.database.snapshot(table);
    return { pgSnapshot: { ...pgSnapshot, insertLsn: this.insertLsn }, rows };
  }

  private async takeSnapshot({ send }: PortContext, latency: Latency, request: Message, signal: AbortSignal): Promise<Message> {
    const [handle, progressTo] = [request['handle'] as Handle, request['progressTo'] as Address];
    const target = this.targets.snapshot(handle);
    const isTaken = this.targets.filterOf(handle);
    if (target === undefined || isTaken === undefined) {
      return { type: 'snapshot.failed', handle, error: snapshotRefusal(new SchemaChangedError('it is gone'), false) };
    }
    try {
      const { pgSnapshot, rows } = this.read(target.relation.name);
      const taken = rows.filter(isTaken);
      target.begin(pgSnapshot);
      send(progressTo, { type: 'snapshot.known', handle, pgSnapshot });
      await latency.wait(signal);
      send(progressTo, { type: 'snapshot.started', handle });
      await giveRows(taken, target);
      await latency.wait(signal);
      await target.complete();
      return { type: 'snapshot.completed', handle };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      target.abort(error);
      return { type: 'snapshot.failed', handle, error: snapshotRefusal(error, true) };
    }
  }

  private async queryMoves(latency: Latency, handle: Handle, views: readonly LogOffset[], signal: AbortSignal): Promise<Message> {
    try {
      for (;;) {
        const target = this.targets.moves(handle, views);
        if (target === undefined) throw new DatabaseUnreachableError('nobody keeps the values');
        const { pgSnapshot, rows } = this.read(target.relation.name);
        const isNewEnough = target.isNewEnough(pgSnapshot);
        await latency.wait(signal);
        if (!isNewEnough) continue;
        await target.rows(insertsOf(rows, target));
        await latency.wait(signal);
        return { type: 'moves.queried', pgSnapshot, rows: await target.complete() };
      }
    } catch (error) {
      return refusedMoves(error);
    }
  }
}

/** Time that an answer takes: a message to the port itself, which is delivered whenever it is chosen. */
class Latency {
  private readonly waiting = new Map<number, () => void>();
  private count = 0;

  constructor(
    private readonly context: PortContext,
    private readonly port: Address,
  ) {}

  async wait(signal: AbortSignal): Promise<void> {
    this.count += 1;
    const number = this.count;
    this.context.send(this.port, { type: 'answer', number });
    await new Promise<void>((resolve) => this.waiting.set(number, resolve));
    signal.throwIfAborted();
  }

  pass({ number }: Message): void {
    this.waiting.get(Number(number))?.();
    this.waiting.delete(Number(number));
  }
}

async function giveRows(rows: readonly Row[], target: SnapshotTarget): Promise<void> {
  if (target.rows?.as === 'changes') return await target.rows.take(insertsOf(rows, target));
  if (target.rows === undefined) return;
  const encoder = new LineEncoder(target.rows.template, target.columns.map(() => false)); // None of the tables has a boolean.
  for (const row of rowsOf(rows, target).map(dataRowOf)) encoder.dataRow(row, 0, row.length);
  await target.rows.take(encoder.take());
}

function insertsOf(rows: readonly Row[], table: ReadTable): Uint8Array {
  return Buffer.concat(rowsOf(rows, table).map((row) => changeBytes({ kind: 'insert', new: row, layoutId: 0, position: 0 })));
}

/** The columns that are asked for. */
function rowsOf(rows: readonly Row[], { relation: { name }, columns }: ReadTable): readonly Row[] {
  const all = TABLES.find((relation) => relation.name === name)?.columns ?? [];
  const indexes = columns.map((column) => all.findIndex((found) => found.name === column));
  return rows.map((row) => indexes.map((index) => row[index] ?? null));
}

function behind(lsn: string, bytes: number): Lsn {
  return String(Number(lsn) + bytes) as Lsn;
}
