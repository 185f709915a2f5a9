/**
 * GzipBody: a body in gzip's format (RFC 1952), out of parts that were deflated by themselves: a header, the parts, an empty last block,
 * and what verifies the whole. As many bytes are in memory for it as for the body itself.
 */
import { crc32 } from 'node:zlib';
import type { Deflater, Taker } from './deflater.ts';

/** Less than this would come out hardly smaller, and goes in one packet as it is. */
export const CODED_BYTES_MIN = 1_024;

const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const LAST_BLOCK = [0x03, 0x00];

export interface Coder {
  readonly deflater: Deflater;
  /** Names a body that never changes; undefined for any other. */
  readonly key: string | undefined;
  readonly client: Taker;
}

/** @returns nothing when the client has gone. */
export async function gzipPieces(pieces: readonly Uint8Array[], { deflater, key, client }: Coder): Promise<readonly Uint8Array[]> {
  const [only] = pieces;
  const whole = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  const part = await deflater.deflate(whole, partKey(key, 0, whole.length), client);
  return part === undefined ? [] : [HEADER, part, trailer(crc32(whole), whole.length)];
}

/**
 * Ends early when the client has gone.
 *
 * @param begin called when the first piece has come, or the end; without a coder the body goes as it is.
 */
export async function* gzipStream(
  body: AsyncIterable<Uint8Array>,
  begin: () => Coder | undefined,
): AsyncGenerator<Uint8Array> {
  let [sum, size] = [0, 0];
  let coder: Coder | undefined;
  let isFirst = true;
  for await (const piece of body) {
    if (isFirst) coder = begin();
    const part = coder === undefined ? piece : await coder.deflater.deflate(piece, partKey(coder.key, size, piece.length), coder.client);
    if (part === undefined) return;
    yield isFirst && coder !== undefined ? Buffer.concat([HEADER, part]) : part;
    isFirst = false;
    if (coder !== undefined) sum = crc32(piece, sum);
    size += piece.length;
  }
  if (isFirst) coder = begin();
  if (coder !== undefined) yield isFirst ? Buffer.concat([HEADER, trailer(sum, size)]) : trailer(sum, size);
}

/** Where a growing body is cut depends on when it is read. */
function partKey(key: string | undefined, at: number, length: number): string | undefined {
  return key === undefined ? undefined : `${key} ${at} ${length}`;
}

function trailer(sum: number, size: number): Uint8Array {
  const bytes = Buffer.alloc(LAST_BLOCK.length + 8);
  bytes.set(LAST_BLOCK);
  bytes.writeUInt32LE(sum, LAST_BLOCK.length);
  bytes.writeUInt32LE(size % 2 ** 32, LAST_BLOCK.length + 4);
  return bytes;
}
