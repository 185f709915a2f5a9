/** A signal of several leaves nothing in any of them. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { nextTurn } from '../../../src/base/turn.ts';
import { withAll, withEither } from '../../../src/postgres/snapshot/either-signal.ts';

test.each([0, 1])('is aborted with the first of them (number %i), for its reason', async (index) => {
  const both = [new AbortController(), new AbortController()];
  const reason = await withEither(both.map(({ signal }) => signal), async (signal) => {
    both[index]?.abort('gone');
    return signal.reason;
  });
  expect(reason).toBe('gone');
});

test('of one that was aborted before it is aborted from the start', async () => {
  expect(await withEither([new AbortController().signal, AbortSignal.abort('before')], async ({ reason }) => reason)).toBe('before');
});

test('of all is aborted with the last of them, whichever was aborted before', async () => {
  const two = [new AbortController(), new AbortController()];
  const signals = [AbortSignal.abort('before'), ...two.map(({ signal }) => signal)];
  const told = await withAll(signals, async (signal) => two.map((each, index) => {
    each.abort(index);
    return [signal.aborted, signal.reason];
  }));
  expect([told, await withAll([AbortSignal.abort('before')], async ({ reason }) => reason)]).toEqual([
    [[false, undefined], [true, 1]], 'before',
  ]);
});

const actions = [async () => 'done', async () => Promise.reject(new Error('failed'))];

test.each(actions)('when it is over nobody listens any more: %s', async (action) => {
  const { signal } = new AbortController();
  for (const within of [withEither, withAll]) await within<string>([signal], action).catch(() => {});
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('many at a time may listen to a signal that lives long', async () => {
  const warnings: string[] = [];
  const hear = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', hear);
  const { signal } = new AbortController();

  await Promise.all(Array.from({ length: 20 }, () => withEither([signal], () => new Promise<void>((turn) => nextTurn(turn)))));

  process.off('warning', hear);
  expect(warnings).toEqual([]);
});
