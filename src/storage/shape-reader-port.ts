/**
 * Shape reader: brings a part of a shape's log into memory for a process that follows the shape.
 *
 * A block never holds a line behind the offset that was asked for: what lies there is announced to the follower by
 * itself, and would be applied twice.
 */
import { invariant } from '../base/invariant.ts';
import { compareOffsets, offsetOf, type LogOffset } from '../model/log-offset.ts';
import type { Lsn } from '../model/lsn.ts';
import type { Handle } from '../model/shape.ts';
import type { Message, PortSpec } from '../otp/process.ts';
import type { ShapeBlocks, ShapeMessage } from './shape-blocks.ts';
import type { ShapeLogs, ShapeRead } from './shape-logs.ts';

export function shapeReaderPort(shapeLogs: Pick<ShapeLogs, 'get'>, blocks: ShapeBlocks): PortSpec {
  return {
    name: '@shape-reader',
    open: () => ({
      requests: {
        async readBlock(request) {
          const { handle, column, after, through } = parameters(request);
          blocks.forgetUnless((known) => shapeLogs.get(known) !== undefined);
          const read = shapeLogs.get(handle)?.read(after);
          if (read === undefined) return { type: 'history.isGone' };
          invariant(read.outcome === 'lines', 'a follower reads only what it was told can be read');
          const messages = (await messagesOf(read.body)).filter((message) => lies(message, through));
          const end = compareOffsets(read.end, through) < 0 ? read.end : through;
          blocks.put(handle, column, { after, through: end }, messages);
          return { type: 'history.blockRead', after, through: end };
        },
      },
    }),
  };
}

function parameters({ handle, column, after, through }: Message) {
  invariant([handle, column, after, through].every((part) => typeof part === 'string'), 'a block has a handle, a column, two offsets');
  return { handle: handle as Handle, column: column as string, after: after as LogOffset, through: through as LogOffset };
}

/** True for a line up to `through`. Rows of the snapshot have no offset of their own; they lie before every operation. */
function lies({ headers: { lsn, op_position } }: ShapeMessage, through: LogOffset): boolean {
  if (lsn === undefined || op_position === undefined) return true;
  return compareOffsets(offsetOf(lsn as Lsn, op_position), through) <= 0;
}

async function messagesOf(body: Extract<ShapeRead, { outcome: 'lines' }>['body']): Promise<readonly ShapeMessage[]> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return JSON.parse(`[${Buffer.concat(parts).toString()}]`) as ShapeMessage[];
}
