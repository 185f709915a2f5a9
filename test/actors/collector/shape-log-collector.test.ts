/** How the collector goes through the log: nothing before everybody is there, nobody is passed, nothing is promised early. */
import { expect, test } from 'vitest';
import { shapeLogCollector } from '../../../src/actors/collector/shape-log-collector.ts';
import type { Message } from '../../../src/otp/process.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const after = (...events: readonly Message[]) => walk(shapeLogCollector, { self: 'collector#1', position: 10 }, ...events);
const restored = { type: 'shapesRestored' };
const grown = { type: 'log.end', through: 20, lsn: '5' };
const loaded = { type: 'block.loaded', after: 10, through: 20 };
const progress = (change: object) => ({ type: 'apply', params: { table: 'progress', change } });

test('the log does not move before the stored shapes have registered', () => {
  const { value, asked } = after({ type: 'log.extended', through: 20, lsn: '5' });

  expect({ value, asked }).toEqual({ value: 'restoring', asked: [] });
});

test('what was appended before it began is asked for', () => {
  expect(after(restored).asked).toMatchObject([{ type: 'call', params: { to: '@log-reader', request: { type: 'logEnd' } } }]);
});

test('the end of the log only grows, whoever tells it last', () => {
  const { context } = after(restored, { type: 'log.extended', through: 30, lsn: '7' }, grown);

  expect(context).toMatchObject({ durableEnd: 30, durableLsn: '7' });
});

test('while there is a block to take, its end is not said to be reached', () => {
  expect(after(restored, grown).asked).toMatchObject([
    progress({ position: 10, lsn: '5', isCaughtUp: false }),
    { type: 'call', params: { request: { type: 'nextBlock', after: 10, through: 20 } } },
  ]);
});

test('what is appended while it is at the end is asked for, and nothing is told before that is taken', () => {
  const atItsEnd = { type: 'log.end', through: 10, lsn: '5' };

  expect(after(restored, atItsEnd, { type: 'log.extended', through: 20, lsn: '9' }).asked).toMatchObject([
    { type: 'call', params: { request: { type: 'nextBlock', after: 10, through: 20 } } },
  ]);
});

test('a log that grew by nothing but its LSN brings that to the readers', () => {
  const atItsEnd = { type: 'log.end', through: 10, lsn: '5' };

  expect(after(restored, atItsEnd, { type: 'log.extended', through: 10, lsn: '9' }).asked).toEqual([
    progress({ position: 10, lsn: '9', isCaughtUp: true }),
  ]);
});

test('a shape that registers while a block is delivered begins behind that block', () => {
  const { asked } = after(restored, grown, loaded, { type: 'registerShape', handle: '1-1', replyTo: 'call#1' });

  expect(asked).toEqual([
    { type: 'apply', params: { table: 'router', change: { add: '1-1' } } },
    progress({ registered: '1-1' }),
    { type: 'reply', params: { to: 'call#1', event: { type: 'shape.registered', position: 20 } } },
  ]);
});

test('a shape whose Consumer ended with a block in hand is noted before the position passes the block', () => {
  const ended = [restored, grown, loaded, { type: 'layer.ready', delivery: 1 }, { type: 'batch.done', failed: ['@consumer/1-1'] }];
  const notTaken = { type: 'block.notTaken', handles: ['1-1'] };
  const [asked, told] = [after(...ended).asked, after(...ended, notTaken).asked];
  const { context } = after(...ended, notTaken, { type: 'block.delivered' });

  expect({ asked, told, context }).toMatchObject({
    asked: [{ type: 'apply', params: { table: 'router', change: { unanswered: ['@consumer/1-1'] } } }],
    told: [
      progress({ notTaken: ['1-1'] }),
      { type: 'apply', params: { table: 'router', change: { leaveBehind: ['1-1'] } } },
      { type: 'sendToEach', params: { to: ['@consumer/1-1'], event: { type: 'leftBehind' } } },
      { type: 'apply', params: { table: 'router', change: 'nextLayer' } },
    ],
    context: { position: 20 },
  });
});

test.each([
  ['is asked where the log ends', [restored]],
  ['loads a block', [restored, grown]],
])('a log reader that dies while it %s is asked once more where the log ends', (_, events) => {
  const failed = { type: 'reader.failed', to: '@log-reader', request: 'any', reason: 'noproc' };
  const [waiting, again] = [after(...events, failed), after(...events, failed, { type: 'timeout.retry' })];

  expect([waiting.asked, again.asked]).toMatchObject([[{ type: 'startTimer' }], [{ params: { request: { type: 'logEnd' } } }]]);
});

test('a layer is told of the delivery by its id, and the next begins when all of it have answered', () => {
  const layers = [restored, grown, loaded, { type: 'layer.ready', delivery: 7 }];
  const batch = { table: 'router', request: { type: 'batch', delivery: 7, through: 20 } };
  const [first, next] = [after(...layers), after(...layers, { type: 'batch.done', failed: [] })];

  expect([first.asked, next.asked]).toEqual([
    [{ type: 'multicall', params: { ...batch, as: 'batch', silenceMs: 5_000 } }],
    [{ type: 'apply', params: { table: 'router', change: 'nextLayer' } }],
  ]);
});

const large = { type: 'transaction.isLarge', through: 18, layouts: [3] };

test('a large transaction is offered to whom it may concern, and the log goes on behind it', () => {
  const offered = after(restored, grown, large);
  const { value, context, asked } = after(restored, grown, large, { type: 'offer.done', failed: [] });

  expect({ offered: offered.asked, value, context, asked }).toMatchObject({
    offered: [
      { type: 'apply', params: { table: 'router', change: { concerned: [3] } } },
      { type: 'multicall', params: { table: 'router', request: { type: 'logOffered', through: 18 }, as: 'offer' } },
    ],
    value: 'loading',
    context: { position: 18 },
    asked: [
      { type: 'send', params: { to: '@catch-up-collector', event: { type: 'log.passed', through: 18 } } },
      progress({ position: 18, lsn: '5', isCaughtUp: false }),
      { type: 'call', params: { request: { type: 'nextBlock', after: 18 } } },
    ],
  });
});

test('a shape whose Consumer ended while it was offered a large transaction is noted before the position passes it', () => {
  const ended = [restored, grown, large, { type: 'offer.done', failed: ['@consumer/1-1'] }];
  const [asked, told] = [after(...ended), after(...ended, { type: 'block.notTaken', handles: ['1-1'] })];

  expect({ asked: asked.asked, at: asked.context, told: told.asked, later: told.context }).toMatchObject({
    asked: [{ type: 'apply', params: { table: 'router', change: { unanswered: ['@consumer/1-1'] } } }],
    at: { position: 10 },
    told: [
      { type: 'send', params: { event: { type: 'log.passed' } } },
      progress({ notTaken: ['1-1'] }),
      { type: 'apply', params: { change: { leaveBehind: ['1-1'] } } },
      { type: 'sendToEach', params: { event: { type: 'leftBehind' } } },
      progress({ position: 18, lsn: '5', isCaughtUp: false }),
      { type: 'call' },
    ],
    later: { position: 18 },
  });
});

test('a block that is routed in steps is routed on, and nothing else happens to it meanwhile', () => {
  const { value, asked } = after(restored, grown, loaded, { type: 'block.partlyRouted' });

  expect({ value, asked }).toEqual({ value: 'delivering', asked: [{ type: 'apply', params: { table: 'router', change: 'routeOn' } }] });
});

test('who catches up is told how far the others are being brought: what they are offered meanwhile is part of it', () => {
  const { asked } = after(restored, grown, loaded, { type: 'reportPosition', replyTo: 'call#1' });

  expect(asked).toEqual([{ type: 'reply', params: { to: 'call#1', event: { type: 'collector.position', position: 20 } } }]);
});

test('who was silent while it caught up is left behind like any other', () => {
  expect(after(restored, { type: 'leaveBehind', handles: ['1-1'] }).asked).toEqual([
    progress({ notTaken: ['1-1'] }),
    { type: 'apply', params: { table: 'router', change: { leaveBehind: ['1-1'] } } },
    { type: 'sendToEach', params: { to: ['@consumer/1-1'], event: { type: 'leftBehind' } } },
  ]);
});

test('however many shapes do not come back, all of them end, and the journal names ten', () => {
  const handles = Array.from({ length: 11 }, (_, index) => `${index}-1`);
  const { asked } = after(restored, { type: 'shapes.overdue', handles });

  expect(asked).toMatchObject([
    { type: 'exitEach', params: { processes: handles.map((handle) => `@consumer/${handle}`) } },
    { type: 'send', params: { event: { count: 11, handles: handles.slice(0, 10) } } },
    { type: 'startTimer' },
  ]);
});

test('shapes that do not come back end, and the journal says so', () => {
  const awaited = [restored, { type: 'return.awaited' }];
  const checked = [...awaited, { type: 'timeout.return' }];
  const overdue = after(...checked, { type: 'shapes.overdue', handles: ['1-1'] });

  expect([after(...awaited).asked, after(...checked).asked, overdue.asked]).toMatchObject([
    [{ type: 'startTimer', params: { name: 'return', delayMs: 30_000 } }],
    [{ type: 'apply', params: { table: 'progress', change: 'checkReturns' } }],
    [
      { type: 'exitEach', params: { processes: ['@consumer/1-1'], reason: 'kill' } },
      { type: 'send', params: { to: '@journal', event: { level: 'warn', what: 'shapes.overdue', count: 1, handles: ['1-1'] } } },
      { type: 'startTimer', params: { name: 'return' } },
    ],
  ]);
});
