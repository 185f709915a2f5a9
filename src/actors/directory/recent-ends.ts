/**
 * RecentEnds: what is still asked of shapes that are gone: why they failed, and of which missed changes an operator was
 * told. Bounded, since shapes come and go without end: the oldest is forgotten.
 */
import type { Lsn } from '../../model/lsn.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { ExitReason } from '../../otp/process.ts';
import { gapOf, snapshotFailure } from '../down-cause.ts';
import type { MissedChanges } from '../missed-changes.ts';

const FAILURES_MAX = 1000;
const OUTER_MAX = 1000;
const TOLD_MAX = 1000;

export class RecentEnds {
  /** What kept shapes from their first row, for requests that come too late to ask the Consumer. */
  private readonly failures = new Map<Handle, unknown>();
  /** What shapes depended on that have ended: a request for one hears what kept its inner shape from its first row. */
  private readonly innerOf = new Map<Handle, readonly Handle[]>();
  /** By table, the last transaction that an operator was told of: it may end a thousand shapes. */
  private readonly toldMissed = new Map<number, Lsn>();

  /** @returns undefined when nothing kept it from its first row, or when that was long ago. */
  failureOf(handle: Handle): unknown {
    const own = this.failures.get(handle);
    if (own !== undefined) return own;
    return this.innerOf.get(handle)?.map((inner) => this.failureOf(inner)).find((failure) => failure !== undefined);
  }

  /** Of one without dependencies there is nothing to note. */
  noteInner(handle: Handle, dependsOn: readonly Handle[]): void {
    if (dependsOn.length > 0) setBounded(this.innerOf, handle, dependsOn, OUTER_MAX);
  }

  noteFailure(handle: Handle, reason: ExitReason): void {
    const error = snapshotFailure(reason);
    if (error !== undefined) setBounded(this.failures, handle, error, FAILURES_MAX);
  }

  /** Undefined when the shape did not end of missed changes, or an operator was told of these when another shape did. */
  newlyMissed({ relation: { oid, schema, name } }: ShapeDefinition, reason: ExitReason): MissedChanges | undefined {
    const gap = gapOf(reason);
    if (gap === undefined || this.toldMissed.get(oid) === gap.lsn) return undefined;
    setBounded(this.toldMissed, oid, gap.lsn, TOLD_MAX);
    return { table: { schema, name }, why: gap.delete, xid: gap.xid, lsn: gap.lsn };
  }

  clone(): RecentEnds {
    const copy = new RecentEnds();
    for (const [handle, error] of this.failures) copy.failures.set(handle, error);
    for (const [handle, dependsOn] of this.innerOf) copy.innerOf.set(handle, dependsOn);
    for (const [oid, lsn] of this.toldMissed) copy.toldMissed.set(oid, lsn);
    return copy;
  }

  /** In the order in which they will be forgotten. */
  key(): readonly unknown[] {
    return [[...this.failures], [...this.innerOf], [...this.toldMissed]];
  }
}

/** The newest entries are kept. */
function setBounded<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, sizeMax: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > sizeMax && oldest !== undefined) map.delete(oldest);
}
