/** A walk over the lines of a log, some at a time: between two steps whoever serves live changes has a turn. */
import type { LogOffset } from '../../model/log-offset.ts';
import { addressOf, type LineAddress } from '../shapes/line-buffer.ts';
import type { LinesSource } from '../shapes/lines-source.ts';

/** Some hundred microseconds of work. */
const STEP_BYTES = 64 * 1024;

export interface WalkedLine {
  readonly address: LineAddress;
  /** JSON, without a separator. */
  readonly bytes: Uint8Array;
}

/** @param turn awaited between two steps. */
export async function* linesBetween(
  source: LinesSource,
  after: LogOffset,
  throughBytes: number,
  turn: () => Promise<void>,
): AsyncGenerator<WalkedLine> {
  let bytes = 0;
  for await (const entries of source.readEntries(after, throughBytes)) {
    for (const entry of entries) {
      yield { address: addressOf(entry.offset), bytes: entry.bytes };
      bytes += entry.bytes.length;
      if (bytes < STEP_BYTES) continue;
      bytes = 0;
      await turn();
    }
  }
}
