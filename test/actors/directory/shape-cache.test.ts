/** What the shape cache asks of others when a shape comes, goes, or is brought back. */
import { expect, test } from 'vitest';
import { shapeCache } from '../../../src/actors/directory/shape-cache.ts';
import { GAP_CAUSES } from '../../../src/model/change.ts';
import type { Message } from '../../../src/otp/process.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const after = (...events: readonly Message[]) => {
  const { asked } = walk(shapeCache, { self: 'cache#1' }, ...events);
  return asked.filter(({ params }) => !JSON.stringify(params ?? null).includes('@journal'));
};
const restoreNext = { type: 'apply', params: { table: 'directory', change: { type: 'restoreNext' } } };
const restMore = { type: 'apply', params: { table: 'directory', change: { type: 'restMore' } } };
const enterMore = { type: 'apply', params: { table: 'directory', change: { type: 'enterMore' } } };
const settle = { type: 'apply', params: { table: 'directory', change: 'settle' } };
const condition = (what: 'met' | 'lost', which: 'shapes' | 'consumers') => {
  const vouching = what === 'met' ? { process: 'cache#1' } : {};
  return { type: 'send', params: { to: '@status-monitor', event: { type: `condition.${what}`, condition: which, ...vouching } } };
};

const entered = { type: 'shapes.entered' };
const restored = { type: 'shapes.restored', count: 1 };
/** It serves. */
const whole = [entered, restored];

test('what is stored can be read when all of it is known, and the service is active when the last of it is followed', () => {
  const [begun, known, served] = [after(), after(entered), after(...whole)];

  expect([begun, known, served]).toEqual([
    [enterMore, condition('lost', 'shapes'), condition('lost', 'consumers')],
    [restMore, condition('met', 'shapes')],
    [
      { type: 'send', params: { to: '@shape-log-collector', event: { type: 'shapesRestored' } } },
      { type: 'send', params: { to: '@publication-manager', event: { type: 'shapesRestored' } } },
      settle,
      condition('met', 'consumers'),
    ],
  ]);
});

test('a step enters a bounded number, and asks for the next', () => {
  expect(after({ type: 'shapes.partlyEntered' })).toEqual([enterMore]);
});

test('of those that need nobody some are told at a time, and who asked for anything meanwhile is heard before the next', () => {
  const relations = [{ oid: 1, schema: 'public', name: 'items' }];
  const next = { type: 'shapes.restMore' };

  const [told, more] = [after(entered, { type: 'shapes.rested', handles: ['1-1'], relations }), after(entered, next)];

  expect([told, more]).toEqual([
    [
      { type: 'send', params: { to: '@shape-log-collector', event: { type: 'shapes.rested', handles: ['1-1'] } } },
      { type: 'send', params: { to: '@publication-manager', event: { type: 'retainRelations', handles: ['1-1'], relations } } },
      { type: 'send', params: { to: 'cache#1', event: next } },
    ],
    [restMore],
  ]);
});

test.each([
  ['nothing is known', [], []],
  ['some is not followed', [entered], [condition('met', 'shapes')]],
  ['all is followed', whole, [condition('met', 'shapes'), condition('met', 'consumers')]],
])('a status monitor that begins anew is told how it stands: %s', (_, events, told) => {
  expect(after(...events, { type: 'reportCondition' })).toEqual(told);
});

test.each([
  ['has come back', { type: 'shape.started', handle: '1-1', pid: 'consumer#1', replies: [] }],
  ['is condemned as it starts', { type: 'shape.condemned', handle: '1-1', pids: ['consumer#1'], why: 'no', replies: [] }],
  ['is refused', { type: 'shape.refused', handle: '1-1', why: 'no', replies: [] }],
])('a stored shape that %s is followed by the next', (_, event) => {
  expect(after(entered, event)).toContainEqual(restoreNext);
});

test('shapes that are to expire while stored ones come back stay: expiry looks again when it is known who reads them', () => {
  const expiring = { type: 'expireShapes', handles: ['1-1'], why: 'unread' };

  expect([after(expiring), after(entered, expiring), after(...whole, expiring)]).toEqual([
    [], [],
    [{ type: 'apply', params: { table: 'directory', change: { type: 'expire', handles: ['1-1'], why: 'unread' } } }],
  ]);
});

test('Consumers that can be asked for are asked for one by one, each with the Consumers that it depends on', () => {
  const dependencies = [{ handle: '2-1', column: 'id', consumer: 'consumer#2' }];

  expect(after(...whole, { type: 'shape.reserved', handle: '1-1', mode: 'create', dependencies }).slice(-2)).toEqual([
    {
      type: 'call',
      params: {
        to: '@consumers',
        request: { type: 'startChild', template: 'consumer', args: { handle: '1-1', mode: 'create', dependencies } },
        as: 'consumers',
      },
    },
    settle,
  ]);
});

test('a Consumer is watched before it counts as started', () => {
  expect(after(...whole, { type: 'child.started', id: '1-1', pid: 'consumer#1' })).toEqual([
    { type: 'monitor', params: { process: 'consumer#1', as: 'consumer' } },
    { type: 'apply', params: { table: 'directory', change: { type: 'started', handle: '1-1', pid: 'consumer#1' } } },
  ]);
});

test.each([
  ['by itself is told in a line of its own', false, [{ type: 'note', level: 'info', what: 'shape.deleted', handle: '1-1', why: 'asked' }]],
  ['together with others was told with them', true, []],
])('a shape that is gone is routed no more, its dependants end, and its table is given free; one that went %s', (_, isTold, lines) => {
  const { asked } = walk(shapeCache, { self: 'cache#1' }, ...whole, {
    type: 'shape.gone', handle: '1-1', why: 'asked', isTold, pids: ['consumer#2'], replies: ['call#1'],
  });

  expect(asked).toEqual([
    ...lines.map((event) => ({ type: 'send', params: { to: '@journal', event } })),
    { type: 'replyToEach', params: { to: ['call#1'], event: { type: 'shape.notCreated', why: 'asked' } } },
    { type: 'sendToEach', params: { to: ['consumer#2'], event: { type: 'stop', cause: { delete: 'asked' } } } },
    { type: 'send', params: { to: '@shape-log-collector', event: { type: 'unregisterShape', handle: '1-1' } } },
    { type: 'send', params: { to: '@publication-manager', event: { type: 'releaseShape', handle: '1-1', why: 'asked' } } },
    settle,
  ]);
});

test.each([
  ['is led to it when it has failed', true, { type: 'shape.created', handle: '1-1' }],
  ['hears why it does not come', false, { type: 'shape.notCreated', why: 'no room' }],
])('who waited for a shape that is gone %s', (_, hasFailed, event) => {
  const gone = { type: 'shape.gone', handle: '1-1', why: 'no room', isTold: true, pids: [], replies: ['call#1'], hasFailed };

  expect(after(...whole, gone)).toContainEqual({ type: 'replyToEach', params: { to: ['call#1'], event } });
});

const DAMAGE = 'the log of shape 1-1 is corrupt: its index does not hold';
const DIVISION = { code: '22012', message: 'division by zero' };
const CONDITION = '1 / parts > 0';

test.each([
  {
    of: 'a shape that was damaged: which, of which table, and what did not hold',
    told: { why: DAMAGE, damagedTable: 'public.items' },
    note: {
      what: 'shape.damaged', table: 'public.items', why: DAMAGE,
      advice: 'The shape is condemned: its readers fetch a fresh one. Nothing has to be done, but the disk may not be sound.',
    },
  },
  {
    of: 'a filter that has an error in a row: which shape, which filter, which error',
    told: { why: 'filterFailed', failedFilter: { table: 'public.items', where: CONDITION, error: { ...DIVISION, status: 400 } } },
    note: {
      what: 'shape.filterFailed', table: 'public.items', where: CONDITION, error: DIVISION,
      advice: expect.stringContaining('gets 400 while a row has the error') as unknown,
    },
  },
])('an operator is warned of $of', ({ told, note }) => {
  const gone = { type: 'shape.gone', handle: '1-1', isTold: false, pids: [], replies: [], ...told };
  const { asked } = walk(shapeCache, { self: 'cache#1' }, ...whole, gone);

  expect(asked.filter(({ params }) => JSON.stringify(params).includes('@journal'))).toEqual([
    { type: 'send', params: { to: '@journal', event: { type: 'note', level: 'warn', handle: '1-1', ...note } } },
  ]);
});

test.each(GAP_CAUSES)('an operator reads which changes were missed (%s), of which table, and what to do', (why) => {
  const missed = { table: { schema: 'public', name: 'odd "name"' }, why, xid: 7, lsn: '70' };
  const gone = { type: 'shape.gone', handle: '1-1', why, missed, pids: [], replies: [] };
  const { asked } = walk(shapeCache, { self: 'cache#1' }, ...whole, gone);

  const [told] = asked;
  expect(told).toEqual({
    type: 'send',
    params: {
      to: '@journal',
      event: {
        type: 'note', level: 'warn', what: 'changes.missed', table: '"public"."odd ""name"""', why, xid: 7, lsn: '70',
        advice: expect.stringMatching(/^The shapes on "public"\."odd ""name""" have ended: .*transaction 7 /),
      },
    },
  });
});

const shape = { handle: '1-1', why: 'asked', pids: ['consumer#1'], replies: [] };

test.each([
  ['has started', { ...shape, type: 'shape.started', pid: 'consumer#1' }],
  ['was refused', { ...shape, type: 'shape.refused' }],
  ['was condemned', { ...shape, type: 'shape.condemned' }],
  ['was condemned with others', { ...shape, type: 'shapes.condemned', count: 1, relations: [] }],
  ['is asked for', { handle: '1-1', type: 'shape.reserved', mode: 'create' }],
  ['was stored and is asked for', { handle: '1-1', type: 'shape.reserved', mode: 'restore', relation: { oid: 1, schema: 's', name: 't' } }],
])('when a shape %s, what else has come of that is asked for', (_, event) => {
  expect(after(...whole, event)).toContainEqual(settle);
});

test.each(['shape.refused', 'shape.condemned'])('who depended on a stored shape is stopped when it does not come back (%s)', (type) => {
  expect(after(entered, { ...shape, type })).toContainEqual({
    type: 'sendToEach', params: { to: ['consumer#1'], event: { type: 'stop', cause: { delete: 'asked' } } },
  });
});

test.each([
  ['a deletion', { type: 'deleteShape', handle: '1-1', why: 'asked', isDamaged: true, replyTo: 'call#1' }],
  ['the end of a table', { type: 'condemnShapes', handles: ['1-1'], why: 'lost' }],
  ['a new slot', { type: 'purge', why: 'a new slot', replyTo: 'call#1' }],
])('%s waits until it is known what is stored, and not until all of that is back', (_, event) => {
  const asked = [after(event), after(entered, event), after(...whole, event)];

  expect(asked.map((effects) => effects.map(({ type }) => type))).toEqual([['postpone'], ['apply'], ['apply']]);
});
