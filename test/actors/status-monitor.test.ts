/** Is the service ready? What the conditions say together, and that each goes with the process that vouched for it. */
import { expect, test } from 'vitest';
import {
  CONDITIONS, serviceLevel, statusMonitor, whyNotActive, type ServiceCondition, type ServiceConditions,
} from '../../src/actors/status-monitor.ts';
import type { Message } from '../../src/otp/process.ts';
import { walk } from '../support/actors/lone-machine.ts';

const after = (...events: readonly Message[]) => walk(statusMonitor, {}, ...events);
const met = (condition: ServiceCondition) => ({ type: 'condition.met', condition, process: `${condition}#1` });
const allMet = CONDITIONS.map(met);

test.each<[readonly ServiceCondition[], string]>([
  [[], 'starting'],
  [['lock', 'replication', 'pools'], 'starting'],
  [['shapes'], 'connecting'],
  [['shapes', 'lock', 'pools'], 'connecting'],
  [['shapes', 'pools'], 'waiting'],
  [['pools'], 'starting'],
  [CONDITIONS.filter((condition) => condition !== 'consumers'), 'connecting'],
  [CONDITIONS.filter((condition) => condition !== 'storage'), 'connecting'],
  [CONDITIONS, 'active'],
])('with %j met it is %s', (conditions, state) => {
  expect(after(...conditions.map(met)).value).toBe(state);
});

test.each([
  ['is taken back', { type: 'condition.lost', condition: 'pools' }],
  ['goes with its process', { type: 'reporter.down', process: 'pools#1', reason: 'killed' }],
])('a condition that %s is missing, and no other', (_, event) => {
  const { value, context } = after(...allMet, event);

  expect({ value, context, why: whyNotActive(context as ServiceConditions) }).toEqual({
    value: 'connecting',
    context: {
      ...Object.fromEntries(CONDITIONS.map((condition) => [condition, `${condition}#1`])), pools: null, lockRefusedTo: null, closedBy: null,
    },
    why: { message: 'Timeout waiting for database connection pool (snapshot) to be ready' },
  });
});

test.each<[readonly ServiceCondition[], string]>([
  [['lock'], 'Timeout waiting for Postgres lock acquisition'],
  [['lock', 'replication'], 'Timeout waiting for Postgres lock acquisition'],
  [['lock', 'pools'], 'Database connection not available'],
  [['pools', 'consumers'], 'Timeout waiting for database connection pool (snapshot) to be ready'],
])('without %j, a client is told "%s"', (missing, message) => {
  const { context } = after(...CONDITIONS.filter((condition) => !missing.includes(condition)).map(met));

  expect(whyNotActive(context as ServiceConditions)).toEqual({ message });
});

const closing = { type: 'connections.closing', process: 'idle-watch#1' };
const gone = ['lock', 'replication', 'pools'].map((name) => ({ type: 'reporter.down', process: `${name}#1`, reason: 'shutdown' }));

test.each<[string, readonly Message[], string]>([
  ['it is asleep', [], 'asleep'],
  ['it is connecting once they are opened', [{ type: 'connections.opening' }], 'connecting'],
  ['it is connecting when who closed them has gone', [{ type: 'reporter.down', process: 'idle-watch#1', reason: 'killed' }], 'connecting'],
  ['it is connecting while the disk takes nothing', [{ type: 'condition.lost', condition: 'storage' }], 'connecting'],
])('where the connections are closed on purpose, %s', (_, events, state) => {
  expect(after(...allMet, closing, ...gone, ...events).value).toBe(state);
});

test('asleep it is active for whoever asks for its health, and makes nothing of connections that are opened while they are open', () => {
  const asleep = after(...allMet, closing).value;
  const { value, asked } = after(...allMet, { type: 'connections.opening' });

  expect([serviceLevel(asleep), value, asked]).toEqual(['active', 'active', []]);
});

const lockRefused = { type: 'lock.refused', process: 'lock#1' };

test.each([
  ['is connecting', [lockRefused], 'connecting'],
  ['waits once another session is seen to have it', [lockRefused, { type: 'lock.awaited' }], 'waiting'],
  ['is connecting when it is refused again', [lockRefused, { type: 'lock.awaited' }, lockRefused], 'connecting'],
  ['waits when the process that was refused has ended', [lockRefused, { type: 'reporter.down', process: 'lock#1' }], 'waiting'],
])('with pools, an instance to which Postgres refuses its wait for the lock %s', (_, events, state) => {
  expect(after(met('shapes'), met('pools'), ...events).value).toBe(state);
});

test('who vouches is watched once, however often it does', () => {
  expect(after(met('lock'), met('lock')).asked).toEqual([
    { type: 'demonitor', params: { process: 'lock#1' } },
    { type: 'monitor', params: { process: 'lock#1', as: 'reporter' } },
  ]);
});

test('one that starts anew asks those who know', () => {
  const reporters = [
    '@disk-monitor', '@connection-lock', '@replication-client', '@connection-pools', '@shape-cache', '@standby', '@idle-watch',
  ];

  expect(after().asked).toEqual(reporters.map((to) => ({ type: 'send', params: { to, event: { type: 'reportCondition' } } })));
});
