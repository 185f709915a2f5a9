/**
 * CheckpointFrame: the unit of a checkpoint file.
 *
 * ```
 * u32 payload bytes · u32 CRC-32 · u32 kind · u32 magic · payload (JSON)
 * ```
 * All numbers are little endian. The checksum covers the generation and the place in its file too: a frame of another
 * generation, or one that ended up elsewhere, does not hold.
 */
import { crc32 } from 'node:zlib';

export const CHECKPOINT_FRAMES = {
  /** Opens a generation. */
  head: 1,
  /** A list of `StateChange`, as formats up to 6 of a storage had them. */
  shapes: 2,
  /** A list of handles that are no more. */
  removed: 3,
  /** What came since the last one of this kind is a checkpoint. */
  closed: 4,
  /** A list of `BriefChange`. */
  briefShapes: 5,
} as const;

const KINDS: ReadonlySet<number> = new Set(Object.values(CHECKPOINT_FRAMES));

export function isKnownKind(kind: number): boolean {
  return KINDS.has(kind);
}

export interface CheckpointFrame {
  readonly kind: number;
  readonly payload: unknown;
  /** Bytes of the whole frame. */
  readonly bytes: number;
}

export const CHECKPOINT_HEADER_BYTES = 16;
const MAGIC = 0x54504b43;
const seed = Buffer.alloc(28);

/**
 * @param at where the frame begins in its file.
 * @param payload in JSON.
 */
export function encodeCheckpointFrame(generation: number, at: number, kind: number, payload: string): Buffer {
  const json = Buffer.from(payload);
  const header = Buffer.alloc(CHECKPOINT_HEADER_BYTES);
  header.writeUInt32LE(json.length, 0);
  header.writeUInt32LE(kind, 8);
  header.writeUInt32LE(MAGIC, 12);
  header.writeUInt32LE(checksum(generation, at, header, json), 4);
  return Buffer.concat([header, json]);
}

/**
 * The frame that begins at `from` of `bytes`, which is `at` in the file.
 *
 * @returns how many bytes it has when `bytes` end inside it, by its own account; `broken` when what is there is no frame.
 */
export function checkpointFrameAt(generation: number, bytes: Buffer, from: number, at: number): CheckpointFrame | number | 'broken' {
  if (bytes.length < from + CHECKPOINT_HEADER_BYTES) return CHECKPOINT_HEADER_BYTES;
  const length = bytes.readUInt32LE(from);
  if (bytes.readUInt32LE(from + 12) !== MAGIC) return 'broken';
  const end = from + CHECKPOINT_HEADER_BYTES + length;
  if (end > bytes.length) return end - from;
  const header = bytes.subarray(from, from + CHECKPOINT_HEADER_BYTES);
  const json = bytes.subarray(from + CHECKPOINT_HEADER_BYTES, end);
  if (header.readUInt32LE(4) !== checksum(generation, at, header, json)) return 'broken';
  return { kind: header.readUInt32LE(8), payload: JSON.parse(json.toString()), bytes: end - from };
}

function checksum(generation: number, at: number, header: Buffer, json: Buffer): number {
  seed.writeBigUInt64LE(BigInt(generation), 0);
  seed.writeBigUInt64LE(BigInt(at), 8);
  header.copy(seed, 16, 0, 4);
  header.copy(seed, 20, 8, 16);
  return crc32(json, crc32(seed));
}
