import { expect, test } from 'vitest';
import type { Failure, Sink } from '../../src/api/shape-response.ts';
import { NotThereError, Topics } from '../../src/observer/pages/topics.ts';
import { topicStream } from '../../src/observer/pages/topic-stream.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A client that takes what it is given, as long as it wants to. */
class Client implements Sink {
  readonly events: unknown[] = [];
  heldBytes = 0;
  isClosed = false;
  isCut = false;
  /** Until then it has not taken what it was given. */
  taking: Promise<void> | undefined;

  write(bytes: Uint8Array): boolean {
    const text = Buffer.from(bytes).toString();
    this.events.push(text.startsWith('data: ') ? (JSON.parse(text.slice(6)) as unknown) : text.trim());
    return this.taking === undefined;
  }

  drained(): Promise<void> {
    return this.taking ?? Promise.resolve();
  }

  cut(): void {
    this.isCut = true;
    this.isClosed = true;
  }
}

function counted(costMs = 0) {
  const clock = new ManualClock();
  const made: string[] = [];
  let value = 1;
  const topics = new Topics(
    {
      'number:': (subject) => {
        made.push(subject);
        clock.advance(costMs);
        if (subject === 'missing') throw new NotThereError('unknown', 'It is not there.');
        if (subject === 'slow') return after(clock, 500).then(() => ({ atMs: clock.nowMs(), value }));
        if (subject === 'broken') throw new TypeError('a bug');
        return { atMs: clock.nowMs(), value };
      },
    },
    clock,
  );
  return { clock, made, topics, set: (next: number) => void (value = next) };
}

/** All that is due now has been done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function after(clock: ManualClock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, delayMs));
}

function followed(topics: readonly string[], world: ReturnType<typeof counted>) {
  const client = new Client();
  const leaving = new AbortController();
  let looks = 0;
  const ports = { topics: world.topics, clock: world.clock, looked: () => void (looks += 1) };
  const ended = new Promise<Failure | undefined>((resolve) => topicStream(topics, ports, leaving.signal).flow(client, resolve));
  const over = ended.then((failure) => {
    if (failure !== undefined) throw failure.error;
  });
  return { client, leaving, over, looks: () => looks };
}

test('who asks shortly after another gets the same, made once', async () => {
  const { topics, made, clock } = counted();

  const [one, other] = await Promise.all([topics.form('number:a'), topics.form('number:a')]);
  clock.advance(1_000);
  await topics.form('number:a');

  expect([one === other, made]).toEqual([true, ['a', 'a']]);
});

test('what is not there is a form too; a bug is told to who asked, and the next one asks anew', async () => {
  const { topics, made } = counted();

  const missing = await topics.form('number:missing');
  const failed = [await topics.form('number:broken').catch(String), await topics.form('number:broken').catch(String)];

  expect([missing.json, failed, made.length, topics.has('toString'), topics.has('number'), topics.has('number:x')]).toEqual([
    '{"code":"unknown","message":"It is not there."}',
    ['TypeError: a bug', 'TypeError: a bug'],
    3,
    false,
    false,
    true,
  ]);
});

test('a stream sends a topic at once, and again when it has changed, at most four times a second', async () => {
  const world = counted();
  const { client, leaving, over, looks } = followed(['number:a'], world);
  await settled();
  for (let step = 0; step < 20; step += 1) {
    if (step >= 10) world.set(step);
    world.clock.advance(50);
    await settled();
  }
  leaving.abort();
  await over;

  const values = client.events.map((event) => (event as { view: { value: number } }).view.value);
  expect([values[0], values.length <= 4, looks() >= 4]).toEqual([1, true, true]);
});

test('a form that is costly to make is made more seldom', async () => {
  const world = counted(10);
  const { leaving, over } = followed(['number:a'], world);
  for (let step = 0; step < 20; step += 1) {
    await settled();
    world.clock.advance(50);
  }
  leaving.abort();
  await over;

  expect(world.made.length).toBeLessThanOrEqual(3);
});

test('whoever asks for a costly form before it has rested gets the same', async () => {
  const { topics, made, clock } = counted(10);

  for (let step = 0; step < 8; step += 1) {
    await topics.form('number:a');
    clock.advance(100);
  }

  expect(made.length).toBe(2);
});

test('a client that takes an event late, and a form that waits, cost the stream no rest', async () => {
  const world = counted();
  const { client, leaving, over } = followed(['number:a', 'number:slow'], world);
  client.taking = after(world.clock, 30_000);
  await settled();
  world.clock.advance(30_000);
  client.taking = undefined;
  await settled();
  world.clock.advance(500);
  await settled();
  world.set(2);
  for (let step = 0; step < 20; step += 1) {
    world.clock.advance(50);
    await settled();
  }
  leaving.abort();
  world.clock.advance(500);
  await over;

  const values = client.events.map((event) => (event as { topic: string; view: { value: number } }));
  expect(values.map(({ topic, view }) => [topic, view.value]).slice(0, 4)).toEqual([
    ['number:a', 1],
    ['number:slow', 1],
    ['number:a', 2],
    ['number:slow', 2],
  ]);
});

test('a client that does not read is cut off', async () => {
  const world = counted();
  const { client, over } = followed(['number:a'], world);
  await settled();

  client.heldBytes = 2 * 1024 * 1024;
  world.clock.advance(1_000);
  await over;

  expect(client.isCut).toBe(true);
});

test('while nothing changes a comment says from time to time that the stream lives', async () => {
  const world = counted();
  const { client, leaving, over } = followed(['number:a'], world);
  for (let second = 0; second < 31; second += 1) {
    await settled();
    world.clock.advance(1_000);
  }
  leaving.abort();
  await over;

  expect([client.events.slice(1), world.clock.pendingTimers]).toEqual([[': keep-alive', ': keep-alive'], 0]);
});
