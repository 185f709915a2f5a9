/**
 * GzipBody: a body in gzip's format (RFC 1952), out of parts that were deflated by themselves: a header, the parts, an empty last block,
 * and what verifies the whole. As many bytes are in memory for it as for the body itself.
 */
import { crc32 } from 'node:zlib';
import type { Body } from '../api/shape-response.ts';
import type { Deflater } from './deflater.ts';

/** Less than this would come out hardly smaller, and goes in one packet as it is. */
export const CODED_BYTES_MIN = 1_024;

const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const LAST_BLOCK = [0x03, 0x00];

/** @param key names a body that never changes; undefined for any other. */
export async function gzipPieces(
  pieces: readonly Uint8Array[],
  deflater: Deflater,
  key: string | undefined,
): Promise<readonly Uint8Array[]> {
  const [only] = pieces;
  const whole = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  return [HEADER, await deflater.deflate(whole, partKey(key, 0, whole.length)), trailer(crc32(whole), whole.length)];
}

/** A stream is coded when its first piece is large enough: that is known when the first one has come. */
export class GzipStream implements AsyncIterable<Uint8Array> {
  isCoded = false;

  constructor(
    private readonly body: Exclude<Body, readonly Uint8Array[]>,
    private readonly deflater: Deflater,
    private readonly key: string | undefined,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let [sum, size] = [0, 0];
    let isFirst = true;
    for await (const piece of this.body) {
      if (isFirst) this.isCoded = piece.length >= CODED_BYTES_MIN;
      if (this.isCoded) {
        const part = await this.deflater.deflate(piece, partKey(this.key, size, piece.length));
        yield isFirst ? Buffer.concat([HEADER, part]) : part;
        sum = crc32(piece, sum);
        size += piece.length;
      } else {
        yield piece;
      }
      isFirst = false;
    }
    if (this.isCoded) yield trailer(sum, size);
  }
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
