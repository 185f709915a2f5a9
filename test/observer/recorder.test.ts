import { expect, test } from 'vitest';
import { messagesView } from '../../src/observer/messages/messages-view.ts';
import { Recorder } from '../../src/observer/recording/recorder.ts';
import { choosingScheduler } from '../../src/otp/schedulers/choosing-scheduler.ts';
import { puppetSpec } from '../support/otp/puppet.ts';
import { World } from '../support/otp/world.ts';

const ASKED = { fromMs: undefined, toMs: undefined, processes: [], stepsMax: 100, xid: undefined, lsn: undefined };

async function pair() {
  const world = new World(choosingScheduler(() => 0));
  const [a, b] = [await world.start(puppetSpec({ name: '@a' }), 'a'), await world.start(puppetSpec({ name: '@b' }), 'b')];
  const recorder = new Recorder(world.runtime, world.clock, { lingerMs: 1_000 });
  const steps = (asked: Partial<typeof ASKED> = {}) => {
    return messagesView(world.runtime, recorder, { ...ASKED, ...asked }, world.clock.nowMs()).steps;
  };
  return { world, a, b, recorder, steps };
}

test('nothing is recorded before somebody looks, nor when nobody has looked for a while; and nothing is held then', async () => {
  const { world, recorder } = await pair();
  const counts: unknown[] = [];
  const send = (): void => {
    world.send('@a', { type: 'seen.1' });
    const { isOn, records } = recorder.view();
    counts.push([isOn, records > 0]);
  };

  send();
  recorder.look();
  send();
  world.clock.advance(900);
  recorder.look();
  world.clock.advance(900);
  send();
  world.clock.advance(200);
  send();

  expect(counts).toEqual([[false, false], [true, true], [true, true], [false, false]]);
});

test('a message is one step from its sending to its delivery, behind all that its sender had got before', async () => {
  const { world, a, b, recorder, steps } = await pair();
  recorder.look();

  world.tell('@a', { type: 'send', params: { to: b, event: { type: 'seen.ping', note: 'x' } } });
  world.runtime.drain();

  const told = steps().flatMap((step) => (step.step === 'message' ? [step] : []));
  const [order, ping] = told;
  expect({
    steps: told.map(({ from, to, type }) => `${from} ${to} ${type}`),
    text: ping?.text,
    isDelivered: told.map(({ deliveredN }) => deliveredN !== null),
    isCausal: (ping?.n ?? 0) > (order?.deliveredN ?? Infinity),
  }).toEqual({
    steps: [`outside ${a} do`, `${a} ${b} seen.ping`],
    text: '{"note":"x"}',
    isDelivered: [true, true],
    isCausal: true,
  });
});

test('what a process tells itself, what is lost and what still waits are steps too', async () => {
  const { world, a, b, recorder, steps } = await pair();
  recorder.look();

  world.tell('@a', { type: 'startTimer', params: { name: 'tick', delayMs: 5 } });
  world.runtime.suspend(b);
  world.runtime.send(b, { type: 'seen.waiting' });
  world.runtime.drain();
  world.clock.advance(5);
  world.runtime.drain();

  const told = steps().flatMap((step) => (step.step === 'message' ? [[step.from, step.to, step.type, step.deliveredN !== null]] : []));
  expect(told.slice(1)).toEqual([
    ['outside', b, 'seen.waiting', false],
    [a, a, 'timeout.tick', true],
  ]);
});

test('only those are shown that are asked for, by pid or by name, and no more than so many, the newest', async () => {
  const { world, b, recorder, steps } = await pair();
  recorder.look();
  for (let count = 1; count <= 5; count += 1) {
    world.send('@a', { type: `seen.a${count}` });
    world.send('@b', { type: `seen.b${count}` });
  }

  const types = (asked: Partial<typeof ASKED>) => steps(asked).map((step) => (step.step === 'message' ? step.type : step.step));
  expect([types({ processes: ['@b'] as never, stepsMax: 2 }), types({ processes: [b] as never, stepsMax: 1 })]).toEqual([
    ['seen.b4', 'seen.b5'],
    ['seen.b5'],
  ]);
});

test('what is told of transactions stands among the records by its number, and pushes none of them out', async () => {
  const { world, recorder } = await pair();
  const note = (end: string): void => recorder.notePublished('1-1' as never, end as never, () => 2);
  note('1_0');
  recorder.look();

  world.send('@a', { type: 'seen.1' });
  for (let count = 0; count < 30_000; count += 1) recorder.noteReceived(count as never, String(count) as never);
  note('5_0');
  world.send('@a', { type: 'seen.2' });

  const [last] = recorder.received();
  const published = [...recorder.published('1-1' as never)];
  const ns = [...recorder.records()].map(({ n }) => n);
  expect({
    records: ns.length,
    last: last?.lsn,
    kept: [...recorder.received()].length,
    published: published.map(({ end, readers }) => [end, readers]),
    isBetween: published.every(({ n }) => n > (ns[1] ?? 0) && n < (ns[2] ?? 0) && n > (last?.n ?? 0)),
  }).toEqual({ records: 4, last: '29999', kept: 16_384, published: [['5_0', 2]], isBetween: true });
});
