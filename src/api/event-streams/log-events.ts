/** What event streams read of a log: for one client piece by piece, for many at once as the same bytes. */
import type { EntryRun, EntryRuns } from '../../model/log-entry.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { Handle } from '../../model/shape.ts';
import type { ReadableLogs } from '../ports.ts';
import { isInMemory } from '../shape-response.ts';
import { EventFraming, upToDateEvent } from './event-framing.ts';
import type { EventBatch } from './shape-followers.ts';
import { streamedLsn } from './streamed-offset.ts';

/** What many clients are given at once. More than this each reads by itself, as fast as it takes it. */
const SHARED_BYTES_MAX = 256 * 1024;
/** Of what a client is given at once when it reads by itself. */
const PIECE_BYTES = 64 * 1024;

/** What lies behind an offset, up to the end of the log or of a chunk. */
export interface LogEvents {
  readonly runs: EntryRuns;
  readonly end: LogOffset;
  /** What an up-to-date event tells behind them; undefined when there is more. */
  readonly told: Lsn | undefined;
}

/** @returns undefined when the shape has ended. */
export function eventsBehind(logs: ReadableLogs, handle: Handle, after: LogOffset): LogEvents | undefined {
  const log = logs.get(handle);
  const read = log?.read(after);
  if (log === undefined || read?.outcome !== 'entries') return undefined;
  return { runs: read.runs, end: read.end, told: read.upToDate ? streamedLsn(read.end) : undefined };
}

/** A stream of runs may be there before its first one is. */
export function isNothing({ runs, told }: LogEvents): boolean {
  return told !== undefined && isInMemory(runs) && runs.length === 0;
}

export async function* piecesOf({ runs, told }: LogEvents, framing: EventFraming): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of runs) {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield framing.frame(bytes.subarray(at, at + PIECE_BYTES));
  }
  if (told !== undefined) yield upToDateEvent(told);
}

/** @returns undefined for what cannot be shared: it is large, or not in memory, or does not end with the log; or the shape has ended. */
export function sharedEvents(logs: ReadableLogs, handle: Handle, after: LogOffset): EventBatch | undefined {
  const events = eventsBehind(logs, handle, after);
  if (events?.told === undefined || !isInMemory(events.runs) || sizeOf(events.runs) > SHARED_BYTES_MAX) return undefined;
  const framing = new EventFraming();
  const bytes = [...events.runs.map((run) => framing.frame(run.bytes)), upToDateEvent(events.told)];
  return { bytes: Buffer.concat(bytes), end: events.end };
}

function sizeOf(runs: readonly EntryRun[]): number {
  return runs.reduce((size, { bytes }) => size + bytes.length, 0);
}
