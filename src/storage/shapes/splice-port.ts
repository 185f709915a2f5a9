/**
 * Splices: the rows that a Consumer reads while it changes the views of its shape. That its record becomes durable it asks of the log
 * writer (`log-writer-port.ts`): here the rows would wait behind that.
 *
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

export function splicePort({ shapes, disk }: Pick<Storage, 'shapes' | 'disk'>, movedRows: MovedRows): PortSpec {
  return {
    name: '@splices',
    open: () => ({
      atOnce: { readMoved: (request) => movedNow(shapes, movedRows, request) },
      requests: {
        readMoved: (request) => disk.insist(() => readMoved(shapes, movedRows, request)),
      },
    }),
  };
}

/** What is in a file, and what is not there, is for `readMoved` to say. */
function movedNow(shapeLogs: Pick<ShapeLogs, 'get'>, movedRows: MovedRows, request: Message): Message | undefined {
  const { handle, owner, at } = parameters(request);
  try {
    const few = shapeLogs.get(handle)?.readMovedNow(at);
    return few && handedOver(movedRows, owner, at, few);
  } catch (error) {
    return refused(error);
  }
}

async function readMoved(shapeLogs: Pick<ShapeLogs, 'get'>, movedRows: MovedRows, request: Message): Promise<Message> {
  const { handle, owner, at } = parameters(request);
  try {
    const shapeLog = shapeLogs.get(handle);
    if (shapeLog === undefined) throw new ShapeGoneError(handle);
    return handedOver(movedRows, owner, at, await shapeLog.readMoved(at));
  } catch (error) {
    return refused(error);
  }
}

function handedOver(movedRows: MovedRows, owner: string, at: number, part: Uint8Array): Message {
  movedRows.put(owner, part);
  return { type: 'moved.read', through: at + part.length };
}

/** @throws what is no damage of the shape. */
function refused(error: unknown): Message {
  if (error instanceof ShapeCorruptError || error instanceof ShapeGoneError) return { type: 'moved.refused', why: error.message };
  throw error;
}

function parameters({ handle, owner, at }: Message): { readonly handle: Handle; readonly owner: string; readonly at: number } {
  invariant(typeof owner === 'string' && typeof at === 'number', 'rows are read for a process, from a byte on');
  return { handle: handle as Handle, owner, at };
}
