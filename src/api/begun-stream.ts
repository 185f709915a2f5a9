/**
 * A stream whose first piece has arrived. An answer with a streamed body is given only then: a log that ended before
 * its first byte is refused with a status of its own, not cut off.
 */
export async function begun(stream: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = stream[Symbol.asyncIterator]();
  const first = await iterator.next();
  return resumed(first, iterator);
}

async function* resumed(first: IteratorResult<Uint8Array>, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}
