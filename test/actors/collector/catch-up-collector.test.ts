/** How shapes that lag go through the log together: who may join, what is brought to whom, and when they are let go. */
import { expect, test } from 'vitest';
import { catchUpCollector } from '../../../src/actors/collector/catch-up-collector.ts';
import type { Message } from '../../../src/otp/process.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const after = (...events: readonly Message[]) => walk(catchUpCollector, { self: 'collector#1' }, ...events);
const join = (handle: string, position: number) => ({ type: 'join', handle, after: position, replyTo: `call/${handle}` });
const joined = (handle: string) => [
  { type: 'apply', params: { table: 'router', change: { add: handle } } },
  { type: 'reply', params: { to: `call/${handle}`, event: { type: 'catchUp.joined' } } },
];
const router = (change: unknown) => ({ type: 'apply', params: { table: 'router', change } });
const told = (request: object, as: string) => ({ type: 'multicall', params: { table: 'router', request, as, silenceMs: 5_000 } });
const passed = { type: 'log.passed', through: 30 };
const loaded = { type: 'block.loaded', after: 10, through: 20 };
const stand = (at: number) => ({ type: 'followers.stand', at });
const begun = [join('1-1', 10), passed, stand(10)];

test('nothing moves before the collector of all others has passed what those who join are to take', () => {
  const first = after(join('1-1', 10));
  const second = after(join('1-1', 10), join('2-1', 10));

  expect([first.value, first.asked, second.value, second.asked]).toEqual(['gathering', joined('1-1'), 'gathering', joined('2-1')]);
});

test('a transaction that concerned nobody who goes along is not read', () => {
  expect(after(passed)).toMatchObject({ value: 'idle', asked: [] });
});

test('they read on from where they stand, through what the others have passed', () => {
  expect(after(...begun).asked).toMatchObject([
    { type: 'call', params: { to: '@log-reader', request: { type: 'nextPart', owner: 'collector#1', after: 10, through: 30 } } },
  ]);
});

test.each([
  ['at its end', 20, 'catchUp.joined'],
  ['inside it', 15, 'catchUp.passed'],
])('a shape that stands %s while a block is delivered is answered', (_, position, answer) => {
  const { asked } = after(...begun, loaded, join('2-1', position));

  expect(asked.at(-1)).toEqual({ type: 'reply', params: { to: 'call/2-1', event: { type: answer } } });
});

test('a fragment goes to those whom it touches, layer by layer', () => {
  const layer = [...begun, loaded, { type: 'layer.ready', delivery: 7 }];

  expect([after(...begun, loaded).asked, after(...layer).asked, after(...layer, { type: 'batch.done', failed: [] }).asked]).toEqual([
    [router({ route: { after: 10, through: 20 } })],
    [told({ type: 'fragment', delivery: 7, through: 20 }, 'batch')],
    [router('nextLayer')],
  ]);
});

test('who does not take a fragment is left behind, and the others go on', () => {
  const silent = [...begun, loaded, { type: 'batch.done', failed: ['@consumer/1-1'] }];

  expect([after(...silent).asked, after(...silent, { type: 'block.notTaken', handles: ['1-1'] }).asked]).toEqual([
    [router({ unanswered: ['@consumer/1-1'] })],
    [
      router({ leaveBehind: ['1-1'] }),
      { type: 'send', params: { to: '@shape-log-collector', event: { type: 'leaveBehind', handles: ['1-1'] } } },
      router('nextLayer'),
    ],
  ]);
});

const taken = [...begun, { ...loaded, through: 30 }, { type: 'block.delivered' }];
const delivered = [...taken, stand(30)];

test('where those who stood furthest back have left, it goes on from where the next one stands', () => {
  const { asked } = after(...begun, loaded, { type: 'block.delivered' }, stand(25));

  expect({ counted: after(...taken).asked, asked }).toMatchObject({
    counted: [router({ standing: 30 })],
    asked: [{ type: 'call', params: { request: { type: 'nextPart', after: 25, through: 30 } } }],
  });
});

test('who stands before where it goes on has joined too late, wherever the last block ended', () => {
  const { asked } = after(...begun, loaded, { type: 'block.delivered' }, stand(25), join('2-1', 22));

  expect(asked).toMatchObject([{ type: 'reply', params: { to: 'call/2-1', event: { type: 'catchUp.passed' } } }]);
});

test('where nobody is left, nothing is read on', () => {
  expect(after(...taken, { type: 'followers.none' })).toMatchObject({ value: 'idle', asked: [] });
});

test('who has joined too late for what others have passed is told so, and nobody waits for more of its kind', () => {
  const late = after(passed, join('1-1', 10));
  const left = after(join('1-1', 40), { type: 'leave', handle: '1-1' });
  const none = after(join('1-1', 40), { type: 'leave', handle: '1-1' }, { type: 'followers.none' });
  const others = after(join('1-1', 40), join('2-1', 40), { type: 'leave', handle: '1-1' }, stand(40));

  expect([late.value, late.asked, left.asked, none.value, others.value]).toEqual([
    'idle',
    [{ type: 'reply', params: { to: 'call/1-1', event: { type: 'catchUp.passed' } } }],
    [router({ remove: '1-1' }), router({ standing: 40 })],
    'idle',
    'gathering',
  ]);
});

test('behind what was passed, it asks how far the others have come, and goes through that too', () => {
  const { value, asked } = after(...delivered, { type: 'collector.position', position: 40 });

  expect({ before: after(...delivered).asked, value, asked }).toMatchObject({
    before: [{ type: 'call', params: { to: '@shape-log-collector', request: { type: 'reportPosition' } } }],
    value: 'loading',
    asked: [{ type: 'call', params: { request: { after: 30, through: 40 } } }],
  });
});

const joinBehind = (handle: string, position: number) => ({ ...join(handle, position), type: 'joinBehind' });
const waits = (handle: string) => [router({ wait: handle }), joined(handle)[1]];

test('a stored shape that lags is taken along at once where nobody follows, from where it stands', () => {
  const { value, asked } = after(passed, joinBehind('1-1', 10));
  const standing = after(passed, joinBehind('1-1', 10), stand(10));

  expect([value, asked, standing.asked]).toMatchObject([
    'admitting', [...waits('1-1'), router('admit')], [{ type: 'call', params: { request: { type: 'nextPart', after: 10, through: 30 } } }],
  ]);
});

test('behind all that is known to have passed, it asks at once how far the others have come', () => {
  expect(after(joinBehind('1-1', 10), stand(10)).asked).toMatchObject([{ type: 'call', params: { request: { type: 'reportPosition' } } }]);
});

test('one that is in time goes with those who follow, and one that is not waits until they are let go', () => {
  const inTime = after(...begun, loaded, joinBehind('2-1', 20));
  const late = [...begun, loaded, joinBehind('2-1', 15)];
  const reached = [{ type: 'block.delivered' }, stand(30), { type: 'collector.position', position: 40 }];
  const letGo = after(...late, ...reached, { type: 'dismissal.done', failed: [] });

  expect([inTime.asked, after(...late).asked, after(...late, ...reached).value, letGo.value, letGo.asked]).toEqual([
    joined('2-1'), waits('2-1'), 'dismissing', 'admitting', [router('removeAddressed'), router('admit')],
  ]);
});

test('one that has missed nothing of the much that others have to take reads by itself', () => {
  const much = 3 * 1024 * 1024;
  const large = [join('1-1', 10), { ...passed, through: much }, stand(10), joinBehind('2-1', much)];
  const nearlyDone = [...large, { ...loaded, through: much - 10 }, { type: 'block.delivered' }, stand(much - 10), joinBehind('3-1', much)];

  expect([after(...large).asked, after(...nearlyDone).asked]).toEqual([
    [{ type: 'reply', params: { to: 'call/2-1', event: { type: 'catchUp.passed' } } }], joined('3-1'),
  ]);
});

test('who has joined further on is not let go with those who are before others that wait, and goes with these', () => {
  const busy = [...begun, loaded, joinBehind('2-1', 15), join('3-1', 50), { type: 'block.delivered' }, stand(30)];
  const reached = [...busy, { type: 'collector.position', position: 100 }];
  const done = after(...reached, { type: 'dismissal.done', failed: [] });

  expect([after(...reached).asked, done.value]).toEqual([
    [router({ upTo: 30 }), told({ type: 'dismissed', through: 30 }, 'dismissal')], 'admitting',
  ]);
});

test('who waits is taken along when those before have all left, too', () => {
  const none = { type: 'followers.none' };
  const left = after(...begun, loaded, joinBehind('2-1', 15), { type: 'block.delivered' }, none);
  const gone = after(...begun, loaded, joinBehind('2-1', 15), { type: 'block.delivered' }, none, none);

  expect([left.value, gone.value]).toEqual(['admitting', 'idle']);
});

test('when those who have waited are on their way, they come as far as the others', () => {
  const again = [stand(15), { ...loaded, after: 15, through: 30 }, { type: 'block.delivered' }, stand(30)];
  const late = [...begun, loaded, joinBehind('2-1', 15), { type: 'block.delivered' }, { type: 'followers.none' }, ...again];

  expect(after(...late, { type: 'collector.position', position: 40 }).value).toBe('loading');
});

const dismissing = [...delivered, { type: 'collector.position', position: 30 }];

test('when nothing is left, everybody is told how far they are, and nobody is brought anything any more', () => {
  const { value, asked } = after(...dismissing, { type: 'dismissal.done', failed: [] });

  expect({ before: after(...dismissing).asked, value, asked }).toEqual({
    before: [
      router('everyone'),
      told({ type: 'dismissed', through: 30 }, 'dismissal'),
    ],
    value: 'idle',
    asked: [router('removeAddressed')],
  });
});

const condemning = [...begun, { type: 'block.corrupt', why: 'a checksum does not match' }];

test.each([
  ['are let go', dismissing],
  ['end', condemning],
])('who wants to join while others %s waits for that, so that it does not go with them', (_, events) => {
  expect(after(...events, join('2-1', 30)).asked).toMatchObject([{ type: 'postpone' }]);
});

test.each([
  ['are let go', dismissing],
  ['end', condemning],
])('who joins behind while others %s waits for the next ones', (_, events) => {
  expect(after(...events, joinBehind('2-1', 30)).asked).toEqual(waits('2-1'));
});

test('where the log does not hold, those who would read it end, and the others go on', () => {
  const ended = after(...condemning, { type: 'dismissal.done', failed: ['@consumer/1-1'] });
  expect([after(...condemning).asked, ended.asked]).toMatchObject([
    [router({ upTo: 10 }), { type: 'multicall', params: { request: { type: 'block.corrupt', why: 'a checksum does not match' } } }],
    [router('removeAddressed'), router({ standing: 10 })],
  ]);
});

test.each([
  ['loads a block', begun],
  ['asks how far the others are', delivered],
])('a peer that dies while it %s is asked once more', (_, events) => {
  const failed = { type: 'reader.failed', to: '@peer', request: 'any', reason: 'noproc' };
  const again = after(...events, failed, { type: 'timeout.retry' }, stand(events.length > 3 ? 30 : 10));

  expect([after(...events, failed).asked, again.asked]).toMatchObject([[{ type: 'startTimer' }], after(...events).asked]);
});
