/**
 * Shape recovery: the shapes after a stop of any kind are those of the last checkpoint, changed by the records that the
 * transaction log has behind it. A shape without its whole snapshot is dropped: nobody is there to finish it.
 */
import type { Handle } from '../../model/shape.ts';
import type { Metadata } from '../checkpoint/metadata.ts';
import type { ShapeDirectories } from './shape-directories.ts';
import type { ShapeRecord } from '../log/shape-record.ts';
import { newShape } from './shape-table.ts';
import type { ShapeState } from './stored-shape.ts';
import type { TransactionLog } from '../log/transaction-log.ts';

export interface RecoveredShapes {
  readonly shapes: readonly ShapeState[];
  /** Checkpointed, or with files, but no more: their files are to be discarded. */
  readonly dropped: readonly Handle[];
}

export async function recoverShapes(
  log: TransactionLog,
  metadata: Metadata,
  directories: ShapeDirectories,
): Promise<RecoveredShapes> {
  const states = new Map([...metadata.shapes()].map((state) => [state.handle, state]));
  const seen = new Set(states.keys());
  for await (const { record } of log.records(metadata.position)) {
    seen.add(record.handle);
    applyRecord(states, record);
  }
  const stored = await directories.handles();
  const shapes = [...states.values()].filter(({ handle, snapshot }) => snapshot.state === 'complete' && stored.has(handle));
  const kept = new Set(shapes.map(({ handle }) => handle));
  const dropped = [...new Set([...seen, ...stored])].filter((handle) => !kept.has(handle));
  return { shapes, dropped };
}

/** A record that the checkpoint knows already changes nothing. */
export function applyRecord(states: Map<Handle, ShapeState>, record: ShapeRecord): void {
  const { handle } = record;
  const known = states.get(handle);
  if (record.type === 'shape.deleted') states.delete(handle);
  else if (record.type === 'shape.created') {
    if (known === undefined) states.set(handle, newShape(handle, record.definition, record.position));
  } else if (known !== undefined && known.snapshot.state !== 'complete') {
    const { pgSnapshot, chunkCount } = record;
    // A checkpoint made since the snapshot was known may have more, with the lines up to there.
    const position = known.snapshot.state === 'awaited' ? record.position : known.position;
    states.set(handle, { ...known, snapshot: { state: 'complete', pgSnapshot, chunkCount }, position, filterBy: pgSnapshot });
  }
}
