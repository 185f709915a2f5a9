/** What the payloads of frames say. The frame's checksum held: a payload that does not read is our own bug. */
import type { LogPosition } from '../../model/log-position.ts';
import { lsnOf, type Lsn } from '../../model/lsn.ts';
import type { PartitionTree } from '../../model/partition-tree.ts';
import type { RelationLayout } from '../../model/relation.ts';
import type { StreamSource } from '../../model/stream-source.ts';
import type { TableMembership } from '../../model/table-membership.ts';
import type { HeldStream } from './held-stream.ts';
import type { ShapeRecord } from './shape-record.ts';
import type { FactEntry } from './table-facts.ts';

/** Changes when a reader of the old form would misread the new one. */
export const LOG_FORMAT = 3;

/** With the stream as it was held before the segment: older segments may be deleted. */
export interface SegmentHeader extends HeldStream {
  readonly format: number;
  /** Where the segment begins in the log. */
  readonly first: LogPosition;
}

export interface Restart {
  readonly source: StreamSource;
  /** Where the new stream begins: so far it is held from the start. */
  readonly lsn: Lsn;
  /** It is the same stream under another name, and this is how it stood. Who does not know this finds a log that holds nothing. */
  readonly goesOn?: Omit<HeldStream, 'source'>;
}

export interface CommitPayload {
  readonly lsn: Lsn;
  /** How many frames with changes the transaction has. */
  readonly frameCount: number;
}

type JsonPayload = SegmentHeader | RelationLayout | ShapeRecord | Restart | FactEntry<PartitionTree> | FactEntry<TableMembership>;

export function encodeJson(value: JsonPayload): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

export function decodeSegmentHeader(payload: Uint8Array): SegmentHeader {
  return decodeJson(payload) as SegmentHeader;
}

export function decodeLayout(payload: Uint8Array): RelationLayout {
  return decodeJson(payload) as RelationLayout;
}

export function decodeTree(payload: Uint8Array): FactEntry<PartitionTree> {
  return decodeJson(payload) as FactEntry<PartitionTree>;
}

export function decodeMembership(payload: Uint8Array): FactEntry<TableMembership> {
  return decodeJson(payload) as FactEntry<TableMembership>;
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

export function decodeRestart(payload: Uint8Array): Restart {
  return decodeJson(payload) as Restart;
}

export function encodeLsn(lsn: Lsn): Uint8Array {
  const payload = Buffer.allocUnsafe(8);
  payload.writeBigUInt64LE(BigInt(lsn));
  return payload;
}

export function decodeLsn(payload: Uint8Array): Lsn {
  return lsnOf(viewOf(payload).getBigUint64(0, true));
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
