/** What a Materializer needs from outside, as interfaces: its table works on them, and the roof decides what is behind them. */
import type { LogOffset } from '../model/log-offset.ts';
import type { Handle } from '../model/shape.ts';

/** What lies behind `after`, up to and with `through`, in a shape's log. */
export interface OffsetRange {
  readonly after: LogOffset;
  readonly through: LogOffset;
}

/** The parts of a log line that matter here; a control message has no key. */
export interface ShapeMessage {
  readonly key?: string;
  readonly value?: Readonly<Record<string, string | null>>;
  readonly headers: {
    readonly operation?: 'insert' | 'update' | 'delete';
    readonly lsn?: string;
    readonly txids?: readonly number[];
    readonly last?: true;
  };
}

/**
 * Blocks of shapes' logs in memory. The port `@shape-reader` fills it: a call `readBlock { handle, after, through }`
 * is answered `history.blockRead { after, through }`, whose `through` may lie before the one asked for but never
 * beyond it, or `history.isGone` when there is no such log any more.
 */
export interface ShapeBlocks {
  /** Hands over the messages of a block that was read, once. @throws when it was not read. */
  take(handle: Handle, range: OffsetRange): readonly ShapeMessage[];
}
