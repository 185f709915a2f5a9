/**
 * Metadata: what a checkpoint says, in one atomic and durable write: how far the transaction log has been taken, and
 * of each shape all that is not in its files. It is never ahead of the log or of the files.
 */
import { open } from 'lmdb';
import { LOG_START, type LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';

export interface Checkpoint {
  readonly position: LogPosition;
  readonly changed: readonly ShapeState[];
  readonly removed: readonly Handle[];
}

export interface Metadata {
  readonly position: LogPosition;
  shapes(): Iterable<ShapeState>;
  /** All or nothing; durable when it resolves. */
  write(checkpoint: Checkpoint): Promise<void>;
  close(): Promise<void>;
}

const POSITION = 'position';

export function openLmdb(directory: string): Metadata {
  // Without overlappingSync a transaction resolves only when it is flushed.
  const root = open<LogPosition, string>({ path: directory, maxDbs: 2, encoding: 'json', overlappingSync: false });
  const shapes = root.openDB<ShapeState, string>({ name: 'shapes', encoding: 'json' });
  return {
    get position() {
      return root.get(POSITION) ?? LOG_START;
    },
    *shapes() {
      for (const { value } of shapes.getRange()) yield value;
    },
    async write({ position, changed, removed }) {
      await root.transaction(() => {
        for (const handle of removed) void shapes.remove(handle); // The transaction's promise answers for all of them.
        for (const state of changed) void shapes.put(state.handle, state);
        void root.put(POSITION, position);
      });
      await root.flushed;
    },
    close: () => root.close(),
  };
}
