/**
 * LogPosition: a place in Armature's own transaction log, in bytes since the log's first byte. It only ever grows,
 * also across restarts and when old segments are deleted. A number is exact up to 2^53: nine petabytes of log.
 */
export type LogPosition = number & { readonly __brand: 'LogPosition' };

export const LOG_START = 0 as LogPosition;

export function minPosition(left: LogPosition, right: LogPosition): LogPosition {
  return left < right ? left : right;
}

export function maxPosition(left: LogPosition, right: LogPosition): LogPosition {
  return left > right ? left : right;
}

/** A stretch of the log, from one position to another; positions lie between bytes. */
export interface LogRange {
  readonly after: LogPosition;
  readonly through: LogPosition;
}
