/** What the payloads of frames say. The frame's checksum held: a payload that does not read is our own bug. */
import type { LogPosition } from '../../model/log-position.ts';
import { lsnOf, type Lsn } from '../../model/lsn.ts';
import type { RelationLayout } from '../../model/relation.ts';
import type { ShapeRecord } from './shape-record.ts';

/** Changes when a reader of the old form would misread the new one. */
export const LOG_FORMAT = 2;

export interface SegmentHeader {
  readonly format: number;
  /** Where the segment begins in the log. */
  readonly first: LogPosition;
  /** Of the last transaction before the segment: older segments may be deleted. */
  readonly lastCommitLsn: Lsn;
  /** As the last restart before the segment told it; missing in logs that are older than it. */
  readonly source?: string;
}

export interface CommitPayload {
  readonly lsn: Lsn;
  /** How many frames with changes the transaction has. */
  readonly frameCount: number;
}

export function encodeJson(value: SegmentHeader | RelationLayout | ShapeRecord): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

export function decodeSegmentHeader(payload: Uint8Array): SegmentHeader {
  return decodeJson(payload) as SegmentHeader;
}

export function decodeLayout(payload: Uint8Array): RelationLayout {
  return decodeJson(payload) as RelationLayout;
}

export function decodeRecord(payload: Uint8Array): ShapeRecord {
  return decodeJson(payload) as ShapeRecord;
}

export function encodeCommit({ lsn, frameCount }: CommitPayload): Uint8Array {
  const payload = Buffer.allocUnsafe(12);
  payload.writeBigUInt64LE(BigInt(lsn), 0);
  payload.writeUInt32LE(frameCount, 8);
  return payload;
}

export function decodeCommit(payload: Uint8Array): CommitPayload {
  const view = viewOf(payload);
  return { lsn: lsnOf(view.getBigUint64(0, true)), frameCount: view.getUint32(8, true) };
}

export function encodeSource(source: string): Uint8Array {
  return Buffer.from(source);
}

export function decodeSource(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
}

export function encodePosition(position: LogPosition): Uint8Array {
  const payload = Buffer.allocUnsafe(8);
  payload.writeBigUInt64LE(BigInt(position));
  return payload;
}

export function decodePosition(payload: Uint8Array): LogPosition {
  return Number(viewOf(payload).getBigUint64(0, true)) as LogPosition;
}

function decodeJson(payload: Uint8Array): unknown {
  return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString());
}

function viewOf(payload: Uint8Array): DataView {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
}
