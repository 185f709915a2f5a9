/**
 * Frame: the unit in which the transaction log lies on the disk.
 *
 * ```
 * u32 payload bytes · u32 CRC-32 · u8 kind · u8 flags · u16 magic · u32 xid · payload
 * ```
 * All numbers are little endian. The checksum covers the frame's own position too: a frame that ended up in the wrong
 * place, or a stale one, does not hold.
 */
import { invariant } from '../../base/invariant.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import { crcOf, crcOfWord } from '../crc-32.ts';

export const FRAME_KINDS = {
  /** Opens a segment: JSON of `SegmentHeader`. */
  segment: 1,
  /** JSON of a `RelationLayout`. */
  layout: 2,
  /** Changes of the open transaction, with `FIRST` and `CONTINUED` as they apply. */
  changes: 3,
  /** u64 commit LSN · u32 number of frames with changes. */
  commit: 4,
  /** JSON of a `ShapeRecord`. */
  record: 5,
  /** u64 position: the log was durable up to there before this frame was written. */
  durable: 6,
  /** JSON of `Restart`: from here on commit LSNs begin anew, they come from another slot. */
  restart: 7,
  /** u64 LSN: every transaction of the stream that committed before it lies before this frame. */
  held: 8,
  /** JSON of a `PartitionTree`, or that it is forgotten. */
  tree: 9,
  /** JSON of a `TableMembership`, or that it is forgotten. */
  membership: 10,
} as const;
export type FrameKind = (typeof FRAME_KINDS)[keyof typeof FRAME_KINDS];

/** On the first changes of a transaction: what was open before it never committed. */
export const FIRST = 1;
/** On changes that continue those of the frame before: a single change can be larger than a frame. */
export const CONTINUED = 2;
export const FRAME_HEADER_BYTES = 16;
/** Layouts and records may be larger than changes: a filter can be long. */
const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024;

const MAGIC = 0xa7e1;
const KIND_MAX = FRAME_KINDS.membership;

export interface Frame {
  readonly kind: FrameKind;
  readonly flags: number;
  readonly xid: Xid;
  /** A view of the bytes it was read from. */
  readonly payload: Uint8Array;
  readonly start: LogPosition;
  readonly end: LogPosition;
}

/** What a frame says of itself, before its payload is checked. */
export type FrameLook =
  | { readonly look: 'whole'; readonly frame: Frame }
  /** The bytes given end inside the frame, which has `bytes` in all. */
  | { readonly look: 'cut'; readonly bytes: number }
  /** It holds, and means nothing to this version. */
  | { readonly look: 'unknown'; readonly kind: number }
  | { readonly look: 'broken' };

const BROKEN: FrameLook = { look: 'broken' };

export function encodeFrame(start: LogPosition, kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  writeFrame(bytes, 0, start, { kind, flags, xid, payload });
  return bytes;
}

/** Writes a frame, which is `start` in the log, at `at` of `bytes`: there is room. */
export function writeFrame(bytes: Buffer, at: number, start: LogPosition, frame: Pick<Frame, 'kind' | 'flags' | 'xid' | 'payload'>): void {
  const { kind, flags, xid, payload } = frame;
  invariant(payload.length <= PAYLOAD_BYTES_MAX, `a frame holds at most ${PAYLOAD_BYTES_MAX} bytes`);
  bytes.writeUInt32LE(payload.length, at);
  bytes[at + 8] = kind;
  bytes[at + 9] = flags;
  bytes.writeUInt16LE(MAGIC, at + 10);
  bytes.writeUInt32LE(xid, at + 12);
  bytes.set(payload, at + FRAME_HEADER_BYTES);
  bytes.writeUInt32LE(checksum(bytes, at, at + FRAME_HEADER_BYTES + payload.length, start), at + 4);
}

/** Looks at the frame that should begin at `at` of `bytes`, which is `start` in the log. */
export function frameAt(bytes: Buffer, at: number, start: LogPosition): FrameLook {
  const available = bytes.length - at;
  if (available < FRAME_HEADER_BYTES) return { look: 'cut', bytes: FRAME_HEADER_BYTES };
  const length = bytes.readUInt32LE(at);
  if (length > PAYLOAD_BYTES_MAX || bytes.readUInt16LE(at + 10) !== MAGIC) return BROKEN;
  const end = at + FRAME_HEADER_BYTES + length;
  if (end > bytes.length) return { look: 'cut', bytes: end - at };
  const kind = bytes[at + 8] ?? 0;
  if (bytes.readUInt32LE(at + 4) !== checksum(bytes, at, end, start)) return BROKEN;
  if (kind < 1 || kind > KIND_MAX) return { look: 'unknown', kind };
  return { look: 'whole', frame: frameOf(bytes, at, end, start) };
}

function frameOf(bytes: Buffer, at: number, end: number, start: LogPosition): Frame {
  return {
    kind: bytes[at + 8] as FrameKind,
    flags: bytes[at + 9] ?? 0,
    xid: bytes.readUInt32LE(at + 12) as Xid,
    payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
    start,
    end: (start + end - at) as LogPosition,
  };
}

function checksum(bytes: Buffer, at: number, end: number, start: LogPosition): number {
  let sum = crcOfWord(start % 2 ** 32, 0);
  sum = crcOfWord(Math.floor(start / 2 ** 32), sum);
  sum = crcOfWord(bytes.readUInt32LE(at), sum);
  sum = crcOfWord(bytes.readUInt32LE(at + 8), sum);
  sum = crcOfWord(bytes.readUInt32LE(at + 12), sum);
  return crcOf(bytes, at + FRAME_HEADER_BYTES, end, sum);
}

/** A `durable` frame is small and of fixed size: it can be looked for where no frame is known to begin. */
export const DURABLE_FRAME_BYTES = FRAME_HEADER_BYTES + 8;

/** True when the bytes at `at` could be a `durable` frame; cheap, for a search byte by byte. */
export function looksDurable(bytes: Buffer, at: number): boolean {
  return bytes[at + 8] === FRAME_KINDS.durable && bytes.readUInt32LE(at) === 8 && bytes.readUInt16LE(at + 10) === MAGIC;
}
