/** ShapeSummary: one stored shape as an operator looks at it. Plain JSON. */
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import { INDEX_ENTRY_BYTES } from '../shapes/line-index.ts';
import { positionOf } from '../shapes/pace.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';

export interface ShapeSummary {
  readonly handle: Handle;
  /** With its schema. */
  readonly table: string;
  /** As the client wrote it; null for every row. */
  readonly where: string | null;
  /** `$1` is the first. */
  readonly params: readonly string[];
  readonly columns: readonly string[];
  readonly replica: string;
  /** `inner`: made for others alone. `lagging`: it reads the log by itself. */
  readonly state: 'inner' | 'lagging' | 'along';
  /** Of the last line that counts. */
  readonly end: LogOffset;
  /** How far it has taken the log. */
  readonly position: LogPosition;
  readonly snapshot: { readonly bytes: number; readonly chunks: number };
  /** What came behind the snapshot; `count` is that of the entries of the index. */
  readonly lines: { readonly bytes: number; readonly count: number; readonly chunks: number };
  /** In all its files, as far as they count. */
  readonly bytes: number;
  readonly dependsOn: readonly Handle[];
  /** Splices that are recorded, and whose lines are not made yet. */
  readonly pendingSplices: number;
}

/** @param common how far the shapes have come that go along. */
export function summaryOf(state: ShapeState, common: LogPosition): ShapeSummary {
  const { handle, definition, dependsOn, isInner, snapshot, lines, pace, views } = state;
  const chunks = snapshot.state === 'complete' ? snapshot.chunks : [];
  const snapshotBytes = chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    handle,
    table: `${definition.relation.schema}.${definition.relation.name}`,
    where: definition.where?.text ?? null,
    params: definition.where?.params ?? [],
    columns: definition.columns,
    replica: definition.replica,
    state: isInner ? 'inner' : pace.isLagging ? 'lagging' : 'along',
    end: lines.end,
    position: positionOf(pace, common),
    snapshot: { bytes: snapshotBytes, chunks: chunks.length },
    lines: { bytes: lines.bytes, count: lines.count, chunks: lines.chunkEnds.length },
    bytes: snapshotBytes + lines.bytes + lines.count * INDEX_ENTRY_BYTES,
    dependsOn,
    pendingSplices: views.pending.length,
  };
}
