/** What becomes of a shape while a body of it is read. */
import { expect, test } from 'vitest';
import { condemning } from '../../src/api/condemning.ts';
import type { Handle } from '../../src/model/shape.ts';

const HANDLE = '1-1' as Handle;

/** What happens, in order: `piece` is one that a reader has got. */
class Happenings {
  readonly told: string[] = [];
  readonly ports = {
    logs: { damageOf: (error: unknown) => (error instanceof RangeError ? error.message : undefined) },
    shapes: {
      noteReader: (handle: Handle) => void this.told.push(`read ${handle}`),
      condemn: (handle: Handle, why: string) => Promise.resolve(void this.told.push(`condemned ${handle}: ${why}`)),
    },
  };

  async read(body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of condemning(this.ports, HANDLE, body)) this.told.push(`piece ${piece.length}`);
  }
}

async function* pieces(sizes: readonly number[], error?: Error): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield new Uint8Array(size);
  if (error !== undefined) throw error;
}

test('a shape is in use with each piece of a body, however long ago its reader asked', async () => {
  const happenings = new Happenings();
  await happenings.read(pieces([1, 2]));

  expect(happenings.told).toEqual(['read 1-1', 'piece 1', 'read 1-1', 'piece 2']);
});

test('a reader that meets damage is told of it when its shape is condemned', async () => {
  const happenings = new Happenings();
  await expect(happenings.read(pieces([1], new RangeError('a checksum')))).rejects.toThrow('a checksum');

  expect(happenings.told.at(-1)).toBe('condemned 1-1: a checksum');
});
