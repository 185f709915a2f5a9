/**
 * What a reader gets from a log at one instant, ready to be sent: its entries, and the LSN that its up-to-date message
 * tells. Both come from the same synchronous moment, so the LSN never runs ahead of the entries.
 */
import type { LogOffset } from '../model/log-offset.ts';
import { LSN_ZERO, maxLsn, type Lsn } from '../model/lsn.ts';
import { jsonArray, sharedJsonArray } from './json-array-encoder.ts';
import type { ApiPorts, EntriesRead, ReadableLog } from './ports.ts';
import { isInMemory, type Body } from './shape-response.ts';

/** Entries that were read, with the body made of them. */
export interface LogRead {
  readonly end: LogOffset;
  readonly upToDate: boolean;
  readonly hasData: boolean;
  readonly body: Body;
}

/** Undefined when the log does not reach the reader's offset any more. */
export type PollRead = LogRead | undefined;

/** @returns undefined when the log does not reach `after`, or has not begun. */
export function catchUpRead(ports: ApiPorts, log: ReadableLog, after: LogOffset): PollRead {
  const read = log.read(after);
  return read.outcome === 'entries' ? stretchRead(ports, log, read) : undefined;
}

/** What was just read of it. */
export function stretchRead(ports: ApiPorts, log: ReadableLog, { end, upToDate, runs }: EntriesRead): LogRead {
  const seen = upToDate ? seenBy(log, ports) : undefined;
  return { end, upToDate, hasData: true, body: jsonArray(runs, seen) };
}

/** For a long-poll: one that finds nothing new has no data, and tells how far the whole service has come. */
export function livePollRead(ports: ApiPorts, log: ReadableLog, after: LogOffset): PollRead {
  const read = log.read(after);
  if (read.outcome !== 'entries') return undefined;
  const { end, upToDate, runs } = read;
  const hasData = !isInMemory(runs) || runs.length > 0; // A stream is begun only for what is there, or is still being written.
  const told = hasData ? (log.reached ?? seenBy(log, ports)) : seenBy(log, ports);
  const seen = upToDate ? told : undefined;
  return { end, upToDate, hasData, body: isInMemory(runs) ? sharedJsonArray(runs, seen) : jsonArray(runs, seen) };
}

/** Nothing but how far the log and the service have come. */
export function endRead(ports: ApiPorts, log: ReadableLog): LogRead {
  return { end: log.end, upToDate: true, hasData: false, body: jsonArray([], seenBy(log, ports)) };
}

/** Nothing is missing of what committed up to here. */
function seenBy({ waitsAt, reached = LSN_ZERO }: ReadableLog, ports: ApiPorts): Lsn {
  return maxLsn(waitsAt ?? ports.lastProcessedLsn() ?? LSN_ZERO, reached);
}
