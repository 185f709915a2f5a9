/**
 * The JSON array: entries of a log as a client that polls gets them, with the up-to-date message when they reach the end.
 *
 * Brackets and commas are put around whole runs, never around entries: the bytes of a run go to the socket as they are.
 */
import { refuseKind, type EntryRun, type EntryRuns } from '../model/log-entry.ts';
import type { Lsn } from '../model/lsn.ts';
import { upToDateLine } from '../shapes/control-messages.ts';
import { isInMemory, type Body } from './shape-response.ts';

const NOTHING = Buffer.alloc(0);
const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']');
/** So much is put together sooner than it is sent in parts. */
const JOINED_BYTES_MAX = 64 * 1024;

/** @param seen the LSN of the up-to-date message; undefined for a body that does not reach the end of the log. */
export function jsonArray(runs: EntryRuns, seen: Lsn | undefined): Body {
  if (!isInMemory(runs)) return streamed(runs, seen);
  const size = runs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return size <= JOINED_BYTES_MAX ? sharedJsonArray(runs, seen) : pieces(runs, seen);
}

/** The same bytes in one buffer, for many readers. */
export function sharedJsonArray(runs: readonly EntryRun[], seen: Lsn | undefined): Body {
  return [Buffer.concat(pieces(runs, seen))];
}

function pieces(runs: readonly EntryRun[], seen: Lsn | undefined): readonly Uint8Array[] {
  const bytes = runs.map(bytesOf);
  const last = bytes.pop();
  if (last === undefined) return [OPEN, ...end(seen, NOTHING)];
  return [OPEN, ...bytes, withoutComma(last), ...end(seen, COMMA)];
}

/**
 * The bracket goes with the first run: a log that fails at once has sent nothing, and can still be refused. A comma waits
 * for what follows it, since a run that ends behind an entry may be the last one; until then every whole entry is sent.
 */
async function* streamed(runs: AsyncIterable<EntryRun>, seen: Lsn | undefined): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  let owed = OPEN;
  for await (const run of runs) {
    const bytes = run.goesOn ? bytesOf(run) : withoutComma(bytesOf(run));
    yield owed === NOTHING ? bytes : Buffer.concat([owed, bytes]);
    owed = run.goesOn ? NOTHING : COMMA;
    isFirst = false;
  }
  yield Buffer.concat(isFirst ? [OPEN, ...end(seen, NOTHING)] : end(seen, owed));
}

/** @param separator what stands between the last entry and the message. */
function end(seen: Lsn | undefined, separator: Uint8Array): readonly Uint8Array[] {
  return seen === undefined ? [CLOSE] : [separator, upToDateLine(seen), CLOSE];
}

/** A client understands rows and controls, and takes both as they are. */
function bytesOf({ kind, bytes }: EntryRun): Uint8Array {
  switch (kind) {
    case 'row':
    case 'control':
      return bytes;
    default:
      return refuseKind(kind);
  }
}

function withoutComma(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, -1);
}
