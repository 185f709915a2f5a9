/** A request that has to wait is looked at when it comes and when it is answered, however often the state changes in between. */
import { expect, test } from 'vitest';
import { CONDITIONS, statusMonitor, statusMonitorTables } from '../../src/actors/status-monitor.ts';
import type { Message, Name } from '../../src/otp/process.ts';
import { createRuntime, type Runtime } from '../../src/otp/runtime.ts';
import { replayScheduler } from '../../src/otp/schedulers/choosing-scheduler.ts';
import type { NumberedRecord } from '../../src/otp/kernel/trace.ts';
import { run, type Script } from '../support/hand-over/hand-over-run.ts';
import { NAMES, type HandOverWorld } from '../support/hand-over/hand-over-world.ts';
import { ManualClock } from '../support/manual-clock.ts';

const CALLERS = 50;

function callMany(runtime: Runtime, to: Name, request: Message): Promise<Message>[] {
  return Array.from({ length: CALLERS }, () => runtime.call(to, request));
}

/** How often the requests of these callers were looked at, and how they were answered. */
async function account(records: readonly NumberedRecord[], { type }: Message, calls: readonly Promise<Message>[]) {
  const looks = records.filter((record) => {
    return record.type === 'deliver' && record.message.type === type && String(record.message['replyTo']).startsWith('outside');
  });
  const answers = (await Promise.all(calls)).map((answer) => answer.type);
  return { looksPerCaller: looks.length / CALLERS, answers: [...new Set(answers)], answered: answers.length };
}

const lookedAtTwice = (answer: string) => ({ looksPerCaller: 2, answers: [answer], answered: CALLERS });

test('awaitActive, of the status monitor, while conditions come and go', async () => {
  const records: NumberedRecord[] = [];
  const runtime = createRuntime({ clock: new ManualClock(), scheduler: replayScheduler(), trace: (record) => records.push(record) });
  void runtime.start({ machine: statusMonitor, name: '@status-monitor', tables: statusMonitorTables }, { id: 'status-monitor' });
  runtime.drain();
  const tell = (event: string, condition: string) =>
    runtime.send('@status-monitor', { type: `condition.${event}`, condition, process: `${condition}#1` });

  const calls = callMany(runtime, '@status-monitor', { type: 'awaitActive' });
  tell('met', 'shapes');
  for (let flap = 0; flap < 20; flap += 1) for (const event of ['met', 'lost']) tell(event, 'pools');
  for (const condition of CONDITIONS) tell('met', condition);
  runtime.drain();

  expect(await account(records, { type: 'awaitActive' }, calls)).toEqual(lookedAtTwice('service.active'));
});

test('awaitConnected, of the status monitor, until the pools are up, whatever else is missing', async () => {
  const records: NumberedRecord[] = [];
  const runtime = createRuntime({ clock: new ManualClock(), scheduler: replayScheduler(), trace: (record) => records.push(record) });
  void runtime.start({ machine: statusMonitor, name: '@status-monitor', tables: statusMonitorTables }, { id: 'status-monitor' });
  runtime.drain();

  const calls = callMany(runtime, '@status-monitor', { type: 'awaitConnected' });
  for (const condition of ['shapes', 'storage', 'pools'])
    runtime.send('@status-monitor', { type: 'condition.met', condition, process: `${condition}#1` });
  runtime.drain();

  expect(await account(records, { type: 'awaitConnected' }, calls)).toEqual(lookedAtTwice('service.connected'));
});

const inOrder: Script = {
  transactions: Array.from({ length: 5 }, (_, row) => ({ atStep: 2 * row, lasts: 1, wishes: [{ row, value: 'a', remove: false }] })),
  materializerAtStep: 0,
  faults: [],
  choices: [],
};

/** Calls as soon as there is somebody to be called. */
async function whenThere(name: Name, request: Message, script = inOrder) {
  let calls: Promise<Message>[] = [];
  const onStep = ({ runtime }: HandOverWorld) => {
    if (calls.length === 0 && runtime.whereis(name) !== undefined) calls = callMany(runtime, name, request);
  };
  const { world } = await run(script, { onStep });
  return await account(world.records, request, calls);
}

test('awaitSnapshotStart, of a Consumer, until its first rows are there', async () => {
  expect(await whenThere(NAMES.consumer, { type: 'awaitSnapshotStart' })).toEqual(lookedAtTwice('snapshot.isStarted'));
});

test('currentValues, of a Materializer, until it is live', async () => {
  expect(await whenThere(NAMES.materializer, { type: 'currentValues' })).toEqual(lookedAtTwice('values.areCurrent'));
});
