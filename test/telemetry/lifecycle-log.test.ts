import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { note } from '../../src/actors/journal.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { ChildSpec } from '../../src/otp/supervision/child-spec.ts';
import { effects } from '../../src/otp/effects.ts';
import type { Message, PortSpec } from '../../src/otp/process.ts';
import { replayScheduler } from '../../src/otp/schedulers/choosing-scheduler.ts';
import { createRuntime } from '../../src/otp/runtime.ts';
import { supervisor } from '../../src/otp/supervision/supervisor.ts';
import { journalPort } from '../../src/telemetry/journal-port.ts';
import { logLifecycle } from '../../src/telemetry/lifecycle-log.ts';
import { keptLog } from '../support/storage/log-lines.ts';

const DISK_FULL = Object.assign(new Error('no space left'), { name: 'StorageFullError' });

/** Fails as it is told. */
const frail: PortSpec = {
  name: '@frail',
  open: ({ exit }) => ({
    requests: {},
    casts: {
      fillDisk: () => exit(DISK_FULL),
      breakClaim: () => invariant(false, 'never'),
      finish: () => exit(),
    },
  }),
};

const linked = setup({ actions: { ...effects } }).createMachine({
  entry: { type: 'link', params: { process: '@frail' } },
  on: { ask: {} },
});

/** A runtime that runs by itself until nothing is left, with what was logged since it had started. */
async function runLogged(level: 'info' | 'debug', children: readonly ChildSpec[], ...messages: Message[]) {
  const { logger, lines } = keptLog(level);
  const runtime = createRuntime({ scheduler: replayScheduler() });
  logLifecycle(runtime, logger);
  const starting = runtime.start(supervisor({ strategy: 'one_for_one', children }), { id: 'stack' });
  runtime.drain();
  const stack = await starting;
  const before = lines().length;
  for (const message of messages) {
    runtime.send('@frail', message);
    runtime.drain();
  }
  return { runtime, stack, started: lines().slice(0, before), since: () => lines().slice(before) };
}

const temporary = { id: 'frail', start: () => frail, restart: 'temporary' } as const;

test('the start of a service is one line, and of each named process one for who looks closer', async () => {
  const { started } = await runLogged('debug', [
    { id: 'frail', start: () => frail },
    { id: 'shape', start: () => ({ machine: linked, name: '@consumer/1-1' }) },
  ]);

  expect(started).toEqual([
    { level: 'info', process: 'stack#1', msg: 'root.started' },
    { level: 'debug', process: 'stack/frail#2', name: '@frail', msg: 'process.started' },
  ]);
});

test('a crash is an error, the restart after it a warning, each one line', async () => {
  const { since } = await runLogged('debug', [{ id: 'frail', start: () => frail }], { type: 'breakClaim' });

  const stack: unknown = expect.stringContaining('InvariantError: never');
  expect(since()).toEqual([
    { level: 'error', process: 'stack/frail#2', err: { type: 'InvariantError', message: 'never', stack }, msg: 'process.crashed' },
    { level: 'warn', process: 'stack/frail#3', supervisor: 'stack#1', msg: 'process.restarted' },
  ]);
});

test('what the world refused has no stack', async () => {
  const { since } = await runLogged('info', [temporary], { type: 'fillDisk' });

  expect(since()).toEqual([
    { level: 'error', process: 'stack/frail#2', err: { type: 'StorageFullError', message: 'no space left' }, msg: 'process.crashed' },
  ]);
});

test('an error that a link passes on is one crash', async () => {
  const { since } = await runLogged('info', [temporary, { id: 'linked', start: () => ({ machine: linked }), restart: 'temporary' }], {
    type: 'fillDisk',
  });

  expect(since().map(({ process, msg }) => [process, msg])).toEqual([['stack/frail#2', 'process.crashed']]);
});

test('to finish is worth a line only for who looks closer', async () => {
  const runs = await Promise.all((['info', 'debug'] as const).map((level) => runLogged(level, [temporary], { type: 'finish' })));

  expect(runs.map(({ since }) => since())).toEqual([
    [],
    [{ level: 'debug', process: 'stack/frail#2', reason: 'normal', msg: 'process.ended' }],
  ]);
});

test('the end of a service is one line, also when it was killed', async () => {
  const { runtime, stack, since } = await runLogged('info', [{ id: 'frail', start: () => frail }]);
  const other = await runLogged('info', [{ id: 'frail', start: () => frail }]);

  runtime.exit(stack, 'shutdown');
  runtime.drain();
  other.runtime.exit(other.stack, 'kill');
  other.runtime.drain();

  expect([since(), other.since()[0]]).toEqual([
    [{ level: 'info', process: 'stack#1', reason: 'shutdown', msg: 'root.ended' }],
    { level: 'error', process: 'stack#1', err: { type: 'killed', message: 'it was ended by force' }, msg: 'process.crashed' },
  ]);
});

test('traffic makes no lines', async () => {
  const { since } = await runLogged(
    'debug',
    [{ id: 'frail', start: () => ({ machine: linked, name: '@frail' }) }],
    { type: 'ask' },
    { type: 'ask' },
  );

  expect(since()).toEqual([]);
});

test('a note of a machine is a line of its level, and vanishes where nobody keeps a journal', async () => {
  const { logger, lines } = keptLog('info');
  const runtime = createRuntime({ scheduler: replayScheduler() });
  const notes = note('warn', 'replication.refused', { error: { code: '28P01', message: 'no' }, retryInMs: 50 });
  const machine = setup({ actions: { ...effects } }).createMachine({ on: { go: { actions: { type: 'send', params: notes } } } });
  const starting = runtime.start({ machine, name: '@machine' }, { id: 'machine' });
  runtime.drain();
  await starting;

  runtime.send('@machine', { type: 'go' });
  runtime.drain();
  const journal = runtime.start(journalPort(logger), { id: 'journal' });
  runtime.drain();
  await journal;
  runtime.send('@machine', { type: 'go' });
  runtime.drain();

  expect(lines()).toEqual([{ level: 'warn', error: { code: '28P01', message: 'no' }, retryInMs: 50, msg: 'replication.refused' }]);
});
