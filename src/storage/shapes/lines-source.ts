/** LinesSource: where the lines of a shape are read that have left the memory. */
import type { EntryRun, LogEntry } from '../../model/log-entry.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { FilePlace } from './filed-lines.ts';

export interface LinesSource {
  /**
   * The lines behind `after`, as far as byte `throughBytes` of this source.
   *
   * @throws {ShapeGoneError} when the shape was deleted meanwhile.
   * @throws {ShapeCorruptError} when the bytes are not what was written, also behind bytes that held.
   * @throws {LinesReplacedError} when it was not begun before the lines had long been elsewhere.
   */
  readLines(after: LogOffset, throughBytes: number): AsyncIterable<EntryRun>;
  /** The same lines one by one, a piece at a time. @throws as `readLines`. */
  readEntries(after: LogOffset, throughBytes: number): AsyncIterable<readonly LogEntry[]>;
  /** Somebody reads here, though not at every moment: the files stay until he lets go. */
  hold(): () => void;
  /** Undefined while the lines are here. */
  readonly successor: Succession | undefined;
}

/** The lines were compacted, and are elsewhere. Who reads in a part that changed gets it as it was: both never go together. */
export interface Succession {
  readonly source: LinesSource;
  /** What lies before this place is here as it was. What lies behind is the same there, and is read there. */
  readonly from: FilePlace;
  /** So many bytes more lie before a line there; negative. */
  readonly shiftBytes: number;
}
