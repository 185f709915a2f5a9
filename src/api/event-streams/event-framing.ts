/**
 * Event framing: entries of a log as server-sent events, one `data:` line for each. An entry has no line feed of its own, since
 * JSON escapes it; so its bytes go out as they are stored, and only the commas between them are looked for.
 */
import { EntrySeparators } from '../../model/entry-separators.ts';
import type { Lsn } from '../../model/lsn.ts';
import { upToDateLine } from '../../shapes/control-messages.ts';

const DATA = Buffer.from('data: ');
const END = Buffer.from('\n\n');

/** A comment, which tells proxies and clients that the stream lives. */
export const KEEP_ALIVE = Buffer.from(': keep-alive\n\n');

/** Of entries whose bytes come in parts, which may be cut anywhere. */
export class EventFraming {
  private readonly separators = new EntrySeparators();
  private between = true;

  /** The last event is whole. */
  get isBetween(): boolean {
    return this.between;
  }

  /** @param bytes each entry with a comma behind it. */
  frame(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let from = 0;
    while (from < bytes.length) {
      if (this.between) parts.push(DATA);
      const end = this.separators.next(bytes, from);
      parts.push(bytes.subarray(from, end));
      this.between = end < bytes.length;
      if (this.between) parts.push(END);
      from = end + 1;
    }
    return Buffer.concat(parts);
  }
}

/** Without it a client delivers nothing: it gathers what came before until this says that it is whole. */
export function upToDateEvent(told: Lsn): Uint8Array {
  return Buffer.concat([DATA, upToDateLine(told), END]);
}
