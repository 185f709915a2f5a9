/**
 * Splices: what a Consumer must wait for while it changes the views of its shape.
 *
 * - `syncSplice` → `splice.isDurable`: what was recorded may be shown
 * - `readMoved { handle, owner, at }` → `moved.read { through }`, the rows of the next splice from byte `at` on, in the slot of `owner`;
 *   or `moved.refused { why }`: they are damaged
 */
import { invariant } from '../../base/invariant.ts';
import type { Handle } from '../../model/shape.ts';
import type { Message, PortSpec } from '../../otp/process.ts';
import { ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import type { Storage } from '../storage.ts';
import type { MovedRows } from './moved-rows.ts';
import type { ShapeLogs } from './shape-logs.ts';

export function splicePort({ log, shapes, disk }: Pick<Storage, 'log' | 'shapes' | 'disk'>, movedRows: MovedRows): PortSpec {
  return {
    name: '@splices',
    open: () => ({
      requests: {
        async syncSplice() {
          await log.sync();
          return { type: 'splice.isDurable' };
        },
        readMoved: (request) => disk.insist(() => readMoved(shapes, movedRows, request)),
      },
    }),
  };
}

async function readMoved(shapeLogs: Pick<ShapeLogs, 'get'>, movedRows: MovedRows, request: Message): Promise<Message> {
  const { handle, owner, at } = request;
  invariant(typeof owner === 'string' && typeof at === 'number', 'rows are read for a process, from a byte on');
  try {
    const shapeLog = shapeLogs.get(handle as Handle);
    if (shapeLog === undefined) throw new ShapeGoneError(handle as Handle);
    const part = await shapeLog.readMoved(at);
    movedRows.put(owner, part);
    return { type: 'moved.read', through: at + part.length };
  } catch (error) {
    if (error instanceof ShapeCorruptError || error instanceof ShapeGoneError) return { type: 'moved.refused', why: error.message };
    throw error;
  }
}
