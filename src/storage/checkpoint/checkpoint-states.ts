/**
 * Shape states as a checkpoint tells them: each time only what differs from the last state of the same shape in the
 * same generation. A definition, and what verifies a snapshot, are written once and not with every checkpoint.
 */
import { areAlike } from '../../base/alike.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import { NO_BLOCKS, type TailBlock } from '../shapes/line-tail.ts';
import { NO_LINES, type ChunkEnd, type CompactedPart, type LinesState } from '../shapes/shape-lines.ts';
import type { SnapshotState } from '../shapes/shape-logs.ts';
import { NO_VIEWS, type ViewsState } from '../shapes/spliced-views.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';

export interface StateChange {
  readonly handle: Handle;
  readonly end: LogOffset;
  readonly bytes: number;
  readonly count: number;
  readonly openBytes: number;
  readonly position: LogPosition;
  readonly isLagging: boolean;
  readonly filterBy: PgSnapshot | null;
  /** These the first time, `dependsOn` where there is something in it. */
  readonly definition?: ShapeDefinition;
  readonly dependsOn?: readonly Handle[];
  readonly chunkBytesMax?: number;
  /** When it changed: a storage that does not say it has shapes that were asked for. */
  readonly isInner?: boolean;
  /** When they changed. */
  readonly views?: ViewsState;
  readonly snapshot?: SnapshotState;
  /** When it changed. Then `chunkEnds` are all there are. */
  readonly compacted?: CompactedPart;
  /** Those that were added. */
  readonly chunkEnds?: readonly ChunkEnd[];
  /** When it changed: all of it. */
  readonly tail?: readonly TailBlock[];
}

/** @param last what the generation says of the shape already. */
export function stateChange(state: ShapeState, last: ShapeState | undefined): StateChange {
  const { handle, definition, dependsOn, isInner, chunkBytesMax, snapshot, lines, pace, filterBy, views } = state;
  const { end, bytes, count, openBytes, chunkEnds, compacted, tail = NO_BLOCKS } = lines;
  const { position, isLagging } = pace;
  const isCompacted = compacted !== undefined && compacted.generation !== last?.lines.compacted?.generation;
  const added = isCompacted ? chunkEnds : chunkEnds.slice(last?.lines.chunkEnds.length ?? 0);
  return {
    handle, end, bytes, count, openBytes, position, isLagging, filterBy,
    ...(last === undefined ? { definition, chunkBytesMax } : {}),
    ...(last === undefined && dependsOn.length > 0 ? { dependsOn } : {}),
    ...(isInner === (last?.isInner ?? false) ? {} : { isInner }),
    ...(views === (last?.views ?? NO_VIEWS) ? {} : { views }),
    ...(last?.snapshot === snapshot ? {} : { snapshot }),
    ...(isCompacted ? { compacted } : {}),
    ...(added.length === 0 ? {} : { chunkEnds: added }),
    ...(tail === (last?.lines.tail ?? NO_BLOCKS) ? {} : { tail }),
  };
}

/** @returns undefined when the generation never said what the shape is. */
export function changedState(change: StateChange, last: ShapeState | undefined): ShapeState | undefined {
  const { handle, position, isLagging } = change;
  const { definition = last?.definition, chunkBytesMax = last?.chunkBytesMax, snapshot = last?.snapshot } = change;
  const { dependsOn = last?.dependsOn ?? NOBODY, isInner = last?.isInner ?? false, views = last?.views ?? NO_VIEWS } = change;
  if (definition === undefined || chunkBytesMax === undefined || snapshot === undefined) return undefined;
  const lines = linesOf(change, last?.lines ?? NO_LINES);
  const filterBy = filterOf(change, snapshot);
  return { handle, definition, dependsOn, isInner, chunkBytesMax, snapshot, lines, pace: { position, isLagging }, filterBy, views };
}

/** Mostly that of the snapshot: it is written twice, and held once. */
function filterOf({ filterBy }: StateChange, snapshot: SnapshotState): PgSnapshot | null {
  return snapshot.state === 'complete' && areAlike(filterBy, snapshot.pgSnapshot) ? snapshot.pgSnapshot : filterBy;
}

/** Most shapes of very many have none: that is held once. */
function linesOf(change: StateChange, last: LinesState): LinesState {
  const { end, bytes, count, openBytes, chunkEnds: added, compacted = last.compacted, tail = last.tail ?? NO_BLOCKS } = change;
  const ends = change.compacted === undefined ? last.chunkEnds : NO_LINES.chunkEnds;
  const chunkEnds = added === undefined ? ends : [...ends, ...added];
  const areNone = count === 0 && bytes === 0 && openBytes === 0 && chunkEnds.length === 0 && compacted === undefined && tail.length === 0;
  if (areNone && end === NO_LINES.end) return NO_LINES;
  const parts = { ...(compacted === undefined ? {} : { compacted }), ...(tail.length === 0 ? {} : { tail }) };
  return { end, bytes, count, chunkEnds, openBytes, ...parts };
}

/** Of nearly all shapes. */
const NOBODY: readonly Handle[] = [];
