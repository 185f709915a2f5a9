/** What says that nobody waits any longer is heard once, by whoever listens then, as an AbortSignal is. */
import { expect, test } from 'vitest';
import { abortSignalOf, EitherStop, Stop, type StopSignal } from '../../src/base/stop-signal.ts';

interface Stopping {
  readonly signal: StopSignal;
  abort(reason: unknown): void;
}

const ours = (): Stopping => {
  const stop = new Stop();
  return { signal: stop, abort: (reason) => stop.abort(reason) };
};

const either = (): Stopping => {
  const [rare, own] = [new Stop(), new Stop()];
  return { signal: new EitherStop(own, rare), abort: (reason) => (own.aborted ? rare : own).abort(reason) };
};

const KINDS = [
  ['ours', ours],
  ['one of two', either],
  ['an AbortSignal', (): Stopping => new AbortController()],
] as const;

test.each(KINDS)('%s is heard in order, once, by whoever listens still, and keeps its first reason', (_, make) => {
  const heard: string[] = [];
  const stopping = make();
  const { signal } = stopping;
  const listeners = ['a', 'b', 'c', 'late'].map((name) => () => void heard.push(`${name} ${String(signal.aborted)}`));
  const [a = () => {}, b = () => {}, c = () => {}, late = () => {}] = listeners;
  for (const listener of [a, b, c, a]) signal.addEventListener('abort', listener);
  signal.removeEventListener('abort', b);
  signal.removeEventListener('abort', late);
  const before = { aborted: signal.aborted, reason: signal.reason };
  for (const reason of ['first', 'second']) stopping.abort(reason);
  signal.addEventListener('abort', late);

  expect({ before, heard, aborted: signal.aborted, reason: signal.reason }).toEqual({
    before: { aborted: false, reason: undefined },
    heard: ['a true', 'c true'],
    aborted: true,
    reason: 'first',
  });
});

test.each(KINDS)('%s does not tell a listener that one before it has taken away', (_, make) => {
  const heard: string[] = [];
  const stopping = make();
  const { signal } = stopping;
  const second = (): void => void heard.push('second');
  signal.addEventListener('abort', () => {
    heard.push('first');
    signal.removeEventListener('abort', second);
  });
  signal.addEventListener('abort', second);
  stopping.abort('closed');

  expect(heard).toEqual(['first']);
});

test('whoever takes an AbortSignal alone is told the same, also when it asks too late', () => {
  const stop = new Stop();
  const early = abortSignalOf(stop);
  const before = early.aborted;
  stop.abort('closed');
  const late = abortSignalOf(stop);

  expect([before, early.aborted, early.reason, late.aborted, late.reason]).toEqual([false, true, 'closed', true, 'closed']);
});

/** Knows how many listen. */
class CountedStop extends Stop {
  readonly heldBy = new Set<() => void>();

  override addEventListener(type: 'abort', listener: () => void): void {
    this.heldBy.add(listener);
    super.addEventListener(type, listener);
  }

  override removeEventListener(type: 'abort', listener: () => void): void {
    this.heldBy.delete(listener);
    super.removeEventListener(type, listener);
  }
}

test('of two signals each is heard, once for both, and neither holds who does not listen any more', () => {
  const [own, lasting] = [new CountedStop(), new CountedStop()];
  const either = new EitherStop(own, lasting);
  const heard: unknown[] = [];
  const gone = (): void => void heard.push('gone');
  either.addEventListener('abort', () => heard.push(either.reason));
  either.addEventListener('abort', gone);
  either.removeEventListener('abort', gone);
  lasting.abort('closes');
  own.abort('has gone');
  either.addEventListener('abort', gone);

  expect({ heard, aborted: either.aborted, reason: either.reason, held: own.heldBy.size + lasting.heldBy.size }).toEqual({
    heard: ['closes'], aborted: true, reason: 'has gone', held: 0,
  });
});
