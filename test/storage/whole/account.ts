/**
 * What a storage was given and has promised, as plain values beside it; and what each of its shapes must tell by that. All fields are
 * replaced and never changed: a copy is another moment.
 */
import { compareOffsets, offsetOf, type LogOffset } from '../../../src/model/log-offset.ts';
import type { Handle } from '../../../src/model/shape.ts';
import { lineOf, type RowOperation } from '../../support/storage/row-lines.ts';
import { lsn } from '../../support/storage/stored-samples.ts';
import { FEW_BYTES_MAX } from '../../../src/storage/shapes/few-rows.ts';
import type { StrictClient } from '../../support/storage/row-lines.ts';
import { isMove, lineFor, lsnAt, rowsOf, withOperation, type Kind, type Rows, type Transaction } from './table.ts';

export interface ShapeFacts {
  readonly kind: Kind;
  /** Its snapshot sees this transaction, and none behind it. */
  readonly born: number;
  /** A power cut must leave it. */
  readonly isPromised: boolean;
  /** A power cut may take it. */
  readonly isDeleted: boolean;
}

/** What the query of a splice brought, each time that it was asked; and which of these counts, once it is durable. */
export interface SpliceFacts {
  readonly asked: readonly string[];
  readonly told?: string;
}

export interface Served {
  readonly handle: Handle;
  readonly after: LogOffset;
  readonly body: string;
  readonly end: LogOffset;
  readonly upToDate: boolean;
  readonly compactedThrough: LogOffset;
}

/** A client that stands in the log of a shape. */
export interface Standing {
  readonly handle: Handle;
  readonly at: LogOffset;
  readonly client: StrictClient;
}

export interface ExpectedLine {
  readonly offset: LogOffset;
  readonly text: string;
}

export class WholeAccount {
  /** All that Postgres ever sent, in order: the first is commit 1. */
  sent: readonly Transaction[] = [];
  /** In the log of the process that lives. */
  appended = 0;
  durable = 0;
  applied = 0;
  handles = 0;
  shapes: ReadonlyMap<Handle, ShapeFacts> = new Map();
  /** Deleted by the process that lives: durable with its next sync. */
  leaving: readonly Handle[] = [];
  /** Their deletion is durable. */
  deleted: ReadonlySet<Handle> = new Set();
  /** Asked for, which is durable. */
  requested: ReadonlySet<Handle> = new Set();
  splices: ReadonlyMap<string, SpliceFacts> = new Map();
  served: readonly Served[] = [];
  standing: readonly Standing[] = [];
  /** Of damaged checkpoints the one before counts: with the lines as they were before they were compacted. */
  mayGoBack = false;
  /** What Postgres may have been told to forget. */
  toldHeld = 0;

  copy(): WholeAccount {
    return Object.assign(new WholeAccount(), this);
  }

  get table(): Rows {
    return this.tableAt(this.sent.length);
  }

  tableAt(commit: number): Rows {
    return this.sent[commit - 1]?.rowsAfter ?? new Map();
  }

  with(handle: Handle, change: Partial<ShapeFacts>): void {
    const facts = this.shapes.get(handle);
    if (facts !== undefined) this.shapes = new Map([...this.shapes, [handle, { ...facts, ...change }]]);
  }

  forget(handle: Handle): void {
    this.shapes = new Map([...this.shapes].filter(([other]) => other !== handle));
    this.served = this.served.filter((served) => served.handle !== handle);
    this.standing = this.standing.filter((standing) => standing.handle !== handle);
  }

  spliceOf(handle: Handle, commit: number): SpliceFacts {
    return this.splices.get(`${handle} ${commit}`) ?? { asked: [] };
  }

  noteSplice(handle: Handle, commit: number, facts: SpliceFacts): void {
    this.splices = new Map([...this.splices, [`${handle} ${commit}`, facts]]);
  }

  /** All lines of a shape behind its snapshot, as far as `commit`. */
  linesOf(handle: Handle, commit: number): ExpectedLine[] {
    const { kind, born } = this.factsOf(handle);
    return this.sent.slice(born, commit).flatMap((transaction) => [
      ...(kind === 'outer' ? this.splicedLines(handle, transaction) : []),
      ...rowLines(kind, transaction),
    ]);
  }

  /** What a client has that has read all of it. */
  rowsOf(handle: Handle, commit: number): Rows {
    const { kind, born } = this.factsOf(handle);
    let rows = rowsOf(kind, this.tableAt(commit));
    if (kind !== 'outer') return rows;
    for (const { commit: moved, changes } of this.sent.slice(born, commit)) {
      if (!changes.some(isMove)) continue;
      for (const operation of operationsOf(this.spliceOf(handle, moved).told ?? '')) rows = withOperation(rows, operation);
    }
    return rows;
  }

  private factsOf(handle: Handle): ShapeFacts {
    const facts = this.shapes.get(handle);
    if (facts === undefined) throw new Error(`nobody knows shape ${handle}`);
    return facts;
  }

  private splicedLines(handle: Handle, { commit, changes }: Transaction): ExpectedLine[] {
    return changes.some(isMove) ? splicedLines(commit, this.spliceOf(handle, commit).told ?? '') : [];
  }
}

/** Each third splice brings nothing, and each other one more than its record takes along. */
export function broughtBy(commit: number, attempt: number): string {
  if (commit % 3 === 0) return '';
  const row = (name: string, width: number): string => `${JSON.stringify([`m${commit}${name}`, `${attempt}`.padEnd(width, '.')])}\n`;
  return row('', commit % 2 === 0 ? FEW_BYTES_MAX : 1) + row('+', 1);
}

/** They stand before their transaction, and begin with a word of what moved. */
export function splicedLines(commit: number, brought: string): ExpectedLine[] {
  const operations: readonly RowOperation[] = [{ do: 'control', name: `splice ${commit}` }, ...operationsOf(brought)];
  return operations.map((operation, index) => {
    const stamp = { xid: commit, lsn: spliceLsn(commit), position: 2 * index, isLast: false };
    return { offset: offsetOf(lsn(stamp.lsn), stamp.position), text: lineOf(operation, stamp) };
  });
}

export function spliceLsn(commit: number): number {
  return lsnAt(commit) - 5;
}

export function between(lines: readonly ExpectedLine[], after: LogOffset, through: LogOffset): string {
  const found = lines.filter(({ offset }) => compareOffsets(offset, after) > 0 && compareOffsets(offset, through) <= 0);
  return found.map(({ text }) => text).join(',');
}

function operationsOf(brought: string): RowOperation[] {
  const rows = brought.split('\n').filter((row) => row !== '').map((row) => JSON.parse(row) as [string, string]);
  return rows.map(([key, text]) => ({ do: 'insert', key, value: { text } }));
}

function rowLines(kind: Kind, { commit, changes }: Transaction): ExpectedLine[] {
  return changes.flatMap((change) => {
    const text = lineFor(kind, commit, change);
    return text === undefined ? [] : [{ offset: offsetOf(lsn(lsnAt(commit)), change.position), text }];
  });
}
