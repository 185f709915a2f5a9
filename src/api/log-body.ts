/** The JSON array around a stretch of a log, with its up-to-date message when the stretch reaches the end. */
import type { Lsn } from '../model/lsn.ts';
import { upToDateLine } from '../shapes/control-messages.ts';
import type { Body } from './shape-response.ts';

const OPEN = Buffer.from('[');
const CLOSE = Buffer.from(']');
const COMMA = Buffer.from(',');

/**
 * @param lines the inside of the array, as a log gives it.
 * @param seen the LSN of the up-to-date message; undefined for a body that does not reach the end of the log.
 */
export function logBody(lines: Body, seen: Lsn | undefined): Body {
  return isInMemory(lines) ? [OPEN, ...lines, ...tail(seen, hasBytes(lines))] : streamed(lines, seen);
}

/** The same bytes in one buffer, for many readers. */
export function sharedBody(lines: readonly Uint8Array[], seen: Lsn | undefined): Body {
  return [Buffer.concat([OPEN, ...lines, ...tail(seen, hasBytes(lines))])];
}

export function isInMemory(body: Body): body is readonly Uint8Array[] {
  return Array.isArray(body);
}

/** False when a log had nothing to give. A stream is begun only for what is there, or for what is still being written. */
export function hasLines(body: Body): boolean {
  return !isInMemory(body) || hasBytes(body);
}

function hasBytes(pieces: readonly Uint8Array[]): boolean {
  return pieces.some((piece) => piece.length > 0);
}

function tail(seen: Lsn | undefined, followsLine: boolean): readonly Uint8Array[] {
  if (seen === undefined) return [CLOSE];
  return followsLine ? [COMMA, upToDateLine(seen), CLOSE] : [upToDateLine(seen), CLOSE];
}

/** The bracket goes with the first piece: a log that fails at once has sent nothing, and can still be refused. */
async function* streamed(lines: AsyncIterable<Uint8Array>, seen: Lsn | undefined): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const piece of lines) {
    if (piece.length === 0) continue;
    yield isFirst ? Buffer.concat([OPEN, piece]) : piece;
    isFirst = false;
  }
  yield Buffer.concat([...(isFirst ? [OPEN] : []), ...tail(seen, !isFirst)]);
}
