/** A stream that has begun is the whole stream, and ends with its reader. */
import { expect, test } from 'vitest';
import { begun } from '../../src/api/begun-stream.ts';

function source(): { readonly stream: AsyncGenerator<Uint8Array>; readonly events: string[] } {
  const events: string[] = [];
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (const piece of ['a', 'b', 'c']) {
        events.push(piece);
        yield Buffer.from(piece);
      }
    } finally {
      events.push('closed');
    }
  }
  return { stream: pieces(), events };
}

test('it is pulled once before it is read, and gives all of its pieces', async () => {
  const { stream, events } = source();
  const started = await begun(stream);
  const pulled = [...events];
  const read: string[] = [];
  for await (const piece of started) read.push(String(piece));
  expect({ pulled, read, events }).toEqual({ pulled: ['a'], read: ['a', 'b', 'c'], events: ['a', 'b', 'c', 'closed'] });
});

test('a reader that goes after the first piece closes it', async () => {
  const { stream, events } = source();
  for await (const piece of await begun(stream)) if (piece.length > 0) break;
  expect(events).toEqual(['a', 'closed']);
});
