/**
 * Shape reader: brings a part of a shape's log into memory for a process that follows the shape.
 *
 * A block never holds a line behind the offset that was asked for: what lies there is announced to the follower by
 * itself, and would be applied twice.
 */
import { invariant } from '../../base/invariant.ts';
import type { EntryRuns } from '../../model/log-entry.ts';
import { compareOffsets, offsetOf, type LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { Handle } from '../../model/shape.ts';
import type { Message, PortSpec } from '../../otp/process.ts';
import { ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import type { OffsetRange, ShapeBlocks, ShapeMessage } from './shape-blocks.ts';
import type { ShapeLog, ShapeLogs } from './shape-logs.ts';

export function shapeReaderPort(shapeLogs: Pick<ShapeLogs, 'get'>, blocks: ShapeBlocks): PortSpec {
  return {
    name: '@shape-reader',
    open: ({ send }) => ({
      requests: {
        async readBlock(request) {
          blocks.forgetUnless((handle) => shapeLogs.get(handle) !== undefined);
          const { handle, column, after, through } = parameters(request);
          const condemn = (why: string): void => send(`@consumer/${handle}`, { type: 'stop', cause: { delete: why } });
          const block = await readBlock(shapeLogs.get(handle), { after, through }, condemn);
          if (block === undefined) return { type: 'history.isGone' };
          blocks.put(handle, column, block, block.messages);
          return { type: 'history.blockRead', after, through: block.through };
        },
      },
    }),
  };
}

type ReadBlock = OffsetRange & { readonly messages: readonly ShapeMessage[] };

/**
 * @param condemn told when the shape's bytes are damaged: its end is then on its way to everybody who follows it.
 * @returns undefined when the shape was deleted, before or meanwhile, or is condemned.
 */
async function readBlock(
  log: ShapeLog | undefined,
  { after, through }: OffsetRange,
  condemn: (why: string) => void,
): Promise<ReadBlock | undefined> {
  const read = log?.read(after);
  if (read === undefined) return undefined;
  invariant(read.outcome === 'entries', 'a follower reads only what it was told can be read');
  try {
    const messages = (await messagesOf(read.runs)).filter((message) => lies(message, through));
    return { after, through: compareOffsets(read.end, through) < 0 ? read.end : through, messages };
  } catch (error) {
    if (error instanceof ShapeCorruptError) condemn(error.message);
    else if (!(error instanceof ShapeGoneError)) throw error;
    return undefined;
  }
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

async function messagesOf(runs: EntryRuns): Promise<readonly ShapeMessage[]> {
  const parts: Uint8Array[] = [];
  for await (const { bytes } of runs) parts.push(bytes);
  return JSON.parse(`[${Buffer.concat(parts).subarray(0, -1).toString()}]`) as ShapeMessage[];
}
