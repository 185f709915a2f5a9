/** The chart of a Materializer that lives, step by step. Its races are tried in `test/races` and `test/explore`. */
import { expect, test } from 'vitest';
import { materializer } from '../../src/actors/materializer.ts';
import { placeAt } from '../../src/model/log-entry.ts';
import { SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import type { Message } from '../../src/otp/process.ts';
import { walk } from '../support/actors/lone-machine.ts';

const input = { self: 'materializer#1', handle: '1-1', column: 'id', consumer: 'consumer#1' };
const [MIDDLE, END] = ['5_0', '7_0'] as [LogOffset, LogOffset];

const applied = (offset: LogOffset, moved = false) => ({ type: 'values.applied', place: placeAt(offset), version: offset, moved });
const appended = (through: LogOffset) => ({ type: 'takeAppended', through, position: 20, replyTo: 'call#1' });
const dependants = (count: number) => ({ type: 'subscribers.counted', count });

/** One that has read its history. */
function living(...events: readonly Message[]) {
  const begun = [{ type: 'snapshot.isStarted' }, { type: 'consumer.subscribed', offset: SNAPSHOT_END }, applied(SNAPSHOT_END)];
  return walk(materializer, input, ...begun, ...events);
}

test('what moved in any block of an announcement is told behind the last one', () => {
  const { value, asked } = living(dependants(1), appended(END), applied(MIDDLE, true), applied(END));

  expect({ value, asked }).toMatchObject({
    value: { live: 'telling' },
    asked: [{ type: 'multicall', params: { table: 'dependants', request: { type: 'takeMoves', through: END, position: 20 } } }],
  });
});

test.each([
  ['nothing moved', dependants(1), applied(END)],
  ['nobody depends on it yet', { type: 'dependant.down', process: 'consumer#2', reason: 'killed' }, applied(END, true)],
])('an announcement is answered at once where %s', (_, before, last) => {
  const { value, asked } = living(before, appended(END), last);

  expect({ value, asked: asked.slice(0, 1) }).toMatchObject({
    value: { live: 'waiting' }, asked: [{ type: 'reply', params: { to: 'call#1', event: { type: 'appended.taken' } } }],
  });
});

test('what moved in one announcement is not told with the next', () => {
  const first = [dependants(1), appended(MIDDLE), applied(MIDDLE, true), { type: 'moves.done', failed: [] }];

  expect(living(...first, appended(END), applied(END)).value).toEqual({ live: 'waiting' });
});

test.each<[string, readonly Message[]]>([
  ['an offset that is announced twice', [appended(END), applied(END), appended(END)]],
  ['an offset before one that was announced', [appended(END), applied(END), appended(MIDDLE)]],
])('%s is a bug of ours, and said so', (_, events) => {
  expect(() => living(...events)).toThrow('the Consumer announces each offset once');
});

const serveNext = { type: 'apply', params: { table: 'awaitingValues', change: 'next' } };

test('who asked while it read its history is served when it lives, one after the other', () => {
  const subscribe = { type: 'subscribe', dependant: 'consumer#2', replyTo: 'call#2' };

  expect([living().asked.slice(-1), living(subscribe).asked, living({ type: 'currentValues', replyTo: 'call#3' }).asked]).toEqual([
    [serveNext],
    [
      { type: 'monitor', params: { process: 'consumer#2', as: 'dependant' } },
      { type: 'apply', params: { table: 'dependants', change: { add: 'consumer#2' } } },
      { type: 'reply', params: { to: 'call#2', event: { type: 'values.areCurrent', offset: SNAPSHOT_END } } },
      serveNext,
    ],
    [{ type: 'reply', params: { to: 'call#3', event: { type: 'values.areCurrent', offset: SNAPSHOT_END } } }, serveNext],
  ]);
});

test('a dependant that has ended is told nothing more, and the last one takes it along', () => {
  const { asked } = living({ type: 'dependant.down', process: 'consumer#2', reason: 'killed' });

  expect([asked, living(dependants(0)).value]).toEqual([
    [{ type: 'apply', params: { table: 'dependants', change: { remove: 'consumer#2' } } }], 'stopped',
  ]);
});

test('those who wait are refused before those who subscribed are told that its values are invalid', () => {
  const { value, asked } = living({ type: 'consumer.down', process: 'consumer#1', reason: 'killed' });

  expect({ value, asked }).toEqual({
    value: 'invalidating',
    asked: [
      serveNext,
      {
        type: 'multicall',
        params: {
          table: 'dependants',
          request: { type: 'invalidate', handle: '1-1', column: 'id', reason: { shutdown: { delete: 'consumerCrashed' } } },
          as: 'invalidation',
        },
      },
    ],
  });
});

test.each<[string, Message, unknown]>([
  ['is kept', { type: 'handle.isKept' }, 'stopped'],
  ['is gone', { type: 'handle.isGone' }, 'invalidating'],
  ['is nobody’s business, since all that serves shapes goes', { type: 'recheck.failed', reason: 'noproc' }, 'stopped'],
])('where its Consumer had ended before it looked, the directory says whether the shape %s', (_, answer, value) => {
  const gone = { type: 'consumer.down', process: 'consumer#1', reason: 'noproc' };
  const asked = walk(materializer, input, gone);

  expect([asked.asked, walk(materializer, input, gone, answer).value]).toEqual([
    [{ type: 'call', params: { to: '@shape-cache', request: { type: 'confirmHandle', handle: '1-1' }, as: 'recheck' } }], value,
  ]);
});
