/** What can be seen of a machine, held still, asleep or in its last moment. */
import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { UnhandledEventError } from '../../../../src/otp/kernel/machine-process.ts';
import type { Message } from '../../../../src/otp/process.ts';
import { toTraceLine, type NumberedRecord } from '../../../../src/otp/kernel/trace.ts';
import { World } from '../../../support/otp/world.ts';
import { Watched, type TimerParams } from '../support/timekeeper.ts';

const tick = (delayMs: number): TimerParams => ({ name: 'tick', delayMs });
const note = (n: number): Message => ({ type: `note.${n}` });

test('S3-034 a suspended machine shows its state and context, handles nothing, and goes on where it was', async () => {
  const watched = await Watched.start();
  const { runtime } = watched.world;
  watched.arrive({ type: 'begin', timers: [tick(100)] });

  runtime.suspend(watched.pid);
  watched.arrive(note(1), { type: 'rest' }, note(2));
  watched.advance(100);
  const suspended = { state: watched.info?.state, log: watched.log };
  runtime.resume(watched.pid);
  runtime.drain();

  expect({ suspended, state: watched.info?.state, log: watched.log }).toEqual({
    suspended: { state: 'busy', log: ['idle begin'] },
    state: 'idle',
    log: ['idle begin', 'busy note.1', 'busy rest', 'idle note.2', 'idle timeout.tick'],
  });
});

test('S3-034 nobody changes a machine’s state from outside, where OTP has replace_state: its snapshot is not its state', async () => {
  const watched = await Watched.start();
  const snapshot = watched.world.runtime.refOf(watched.pid)?.getSnapshot();

  const replaced = { ...snapshot, value: 'busy', context: {} };
  watched.arrive(note(1));

  expect({ replaced: replaced.value, state: watched.info?.state, log: watched.log }).toEqual({
    replaced: 'busy',
    state: 'idle',
    log: ['idle note.1'],
  });
});

test('S3-034 a state may be named error', async () => {
  const world = new World();
  const machine = setup({}).createMachine({
    id: 'm',
    initial: 'fine',
    states: { fine: { on: { fail: 'error' } }, error: { on: { mend: 'fine' } } },
  });
  const pid = await world.start({ machine }, 'm');

  world.send(pid, { type: 'fail' });
  const failed = world.runtime.processInfo(pid)?.state;
  world.send(pid, { type: 'mend' });

  expect({ failed, mended: world.runtime.processInfo(pid)?.state }).toEqual({ failed: 'error', mended: 'fine' });
});

test.each<[string, () => Promise<Watched>]>([
  ['at its start', () => Watched.startWith({ hibernate: true, timers: [tick(1_000)] })],
  ['when told to', () => Watched.startWith({}, [{ type: 'stay', hibernate: true, timers: [tick(1_000)] }])],
  ['after an idle time', () => Watched.startWith({ timers: [tick(1_000)] }, [], { hibernateAfterMs: 100 })],
])('S3-035 a machine hibernates %s, keeps its state and is woken by its timers', async (_, start) => {
  const watched = await start();

  watched.advance(999);
  const asleep = { hibernates: watched.info?.hibernates, state: watched.info?.state };
  watched.advance(1);

  expect({ asleep, last: watched.log?.at(-1) }).toEqual({ asleep: { hibernates: true, state: 'idle' }, last: 'idle timeout.tick' });
});

test('S3-037 the trace of a crash tells the last message, the state, the reason, and what had not been delivered', async () => {
  const watched = await Watched.start();
  const { runtime } = watched.world;
  const records: NumberedRecord[] = [];
  runtime.trace((record) => records.push(record));

  watched.arrive({ type: 'later.1' }, { type: 'stray' }, note(1));

  const sent = records.flatMap((record) => (record.type === 'send' ? [record.message.type] : []));
  const delivered = records.flatMap((record) => (record.type === 'deliver' ? [record.message.type] : []));
  expect({ sent, delivered, reason: watched.world.reasonOf(watched.pid) }).toMatchObject({
    sent: ['later.1', 'stray', 'note.1'],
    delivered: ['later.1', 'stray'],
    reason: {
      error: { name: UnhandledEventError.name, message: "machine 'timekeeper' in state 'idle' has no transition for event 'stray'" },
    },
  });
});

test('S3-037 a line of the trace passes through one formatter, which leaves out what names the machine that it ran on', async () => {
  const watched = await Watched.start();
  const lines: string[] = [];
  watched.world.runtime.trace((record) => lines.push(toTraceLine(record)));

  watched.arrive({ type: 'stray' });

  const error =
    '{"name":"UnhandledEventError","message":"machine \'timekeeper\' in state \'idle\' has no transition for event \'stray\'"}';
  expect(lines.at(-1)).toBe(`{"n":3,"atMs":0,"type":"exit","process":"${watched.pid}","reason":{"error":${error}}}`);
});
