/**
 * FirstPart: how a streamed body begins. Whether it is coded is decided by its first bytes, and the same body must be told the same way
 * whoever reads it and whenever: a chunk that is still being written comes row by row. So its beginning is gathered, until it is certain
 * that the body is long, or is not; or for a moment, behind which it is taken for a long one.
 */
import type { Clock } from '../base/clock.ts';

/** No client sees a row before it has all of them; but a proxy in front may wait for a sign of life. */
const GATHERED_MS_MAX = 1_000;

export interface FirstPart {
  /** It has so many bytes, or nobody knows yet. */
  readonly isLong: boolean;
  /** The whole body. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Nobody reads it: it is given up, however long it waits for its next piece. */
  leave(): void;
}

/** @throws what the body throws before its first piece. One that fails behind that has begun: it is told, and broken off. */
export async function firstPart(body: AsyncIterable<Uint8Array>, longBytes: number, clock: Clock): Promise<FirstPart> {
  const iterator = body[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let size = 0;
  let next: Promise<IteratorResult<Uint8Array>> | undefined;
  const moment = momentOf(clock);
  try {
    for (;;) {
      next ??= iterator.next();
      const came = await Promise.race([next.catch(failed), moment.over]); // Whoever reads on is told why it failed.
      if (came === 'failed' && parts.length === 0) await next;
      if (typeof came !== 'string' && came.done !== true) {
        next = undefined;
        parts.push(came.value);
        size += came.value.length;
        if (size < longBytes) continue;
      }
      const leave = (): void => void iterator.return?.().catch(() => {});
      return { isLong: typeof came === 'string' || size >= longBytes, body: resumed(parts, next, iterator), leave };
    }
  } finally {
    moment.end();
  }
}

function failed(): 'failed' {
  return 'failed';
}

function momentOf(clock: Clock): { readonly over: Promise<'over'>; end(): void } {
  let pass = (): void => {};
  const over = new Promise<'over'>((resolve) => (pass = () => resolve('over')));
  const timer = clock.setTimer(pass, GATHERED_MS_MAX);
  return { over, end: () => clock.clearTimer(timer) };
}

async function* resumed(
  first: readonly Uint8Array[],
  next: Promise<IteratorResult<Uint8Array>> | undefined,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* first;
    for (let came = await (next ?? iterator.next()); came.done !== true; came = await iterator.next()) yield came.value;
  } finally {
    await iterator.return?.();
  }
}
