/**
 * Entry split: the single entries of a snapshot's chunk. Nothing tells where its rows end but the rows: each is a JSON value
 * with a comma behind it, and they all have one place, the end of their chunk.
 */
import { invariant } from '../../base/invariant.ts';
import type { EntryRun, LogEntry } from '../../model/log-entry.ts';
import type { LogOffset } from '../../model/log-offset.ts';

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c] as const;
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d] as const;

/** Those that end in a run come together. @param runs begin with an entry, and may be cut anywhere. */
export async function* entriesOf(runs: AsyncIterable<EntryRun>, offset: LogOffset): AsyncGenerator<readonly LogEntry[]> {
  const separators = new Separators();
  let open: Uint8Array[] = [];
  for await (const { kind, bytes } of runs) {
    const entries: LogEntry[] = [];
    let from = 0;
    for (let end = separators.next(bytes, 0); end < bytes.length; end = separators.next(bytes, from)) {
      entries.push({ kind, offset, bytes: joined([...open, bytes.subarray(from, end)]) });
      open = [];
      from = end + 1;
    }
    if (from < bytes.length) open.push(bytes.subarray(from));
    yield entries;
  }
  invariant(open.length === 0, 'a chunk ends with an entry');
}

/** The commas between JSON values, in bytes that come in parts: what lies before a part is not looked at again. */
class Separators {
  private depth = 0;
  private isInString = false;
  private isEscaped = false;

  /** @returns where the next one lies at or behind `from`; the size of `bytes` when it is not in them. */
  next(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      if (this.isInString) at = this.stringEnd(bytes, at);
      else if (bytes[at] === COMMA && this.depth === 0) return at;
      else this.take(bytes[at]);
    }
    return bytes.length;
  }

  private take(byte: number | undefined): void {
    if (byte === QUOTE) this.isInString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.depth -= 1;
  }

  /** @returns where the closing quote lies, or the size of `bytes`. */
  private stringEnd(bytes: Uint8Array, from: number): number {
    let { isEscaped } = this;
    this.isEscaped = false;
    for (let at = from; at < bytes.length; at += 1) {
      if (isEscaped) isEscaped = false;
      else if (bytes[at] === BACKSLASH) isEscaped = true;
      else if (bytes[at] === QUOTE) {
        this.isInString = false;
        return at;
      }
    }
    this.isEscaped = isEscaped;
    return bytes.length;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}
