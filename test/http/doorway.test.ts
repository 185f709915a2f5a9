/** One socket, behind which servers follow one another. */
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { Doorway, type Serve } from '../../src/http/doorway.ts';
import type { ListeningServer } from '../../src/http/server.ts';
import { until } from '../support/http/http-world.ts';

const ANYWHERE = { host: '127.0.0.1', port: 0 };
const TIMEOUTS = { readTimeoutMs: 60_000, keepAliveTimeoutMs: 60_000 };
const NOBODY = { failed() {}, turnedAway() {} };
let opened: ListeningServer | undefined;

afterEach(async () => {
  const drained = opened?.drain();
  opened?.destroy();
  await drained;
});

const answers = (text: string) => (_: IncomingMessage, response: ServerResponse) => void response.end(text);

async function enter(door: Doorway, text: string): Promise<ListeningServer> {
  return (opened = await door.enter(ANYWHERE, TIMEOUTS, { ...NOBODY, serve: answers(text) }));
}

function ask(port: number, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, ...(signal === undefined ? {} : { signal }) }, (response) => {
      let text = '';
      response.on('data', (part) => (text += String(part)));
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('the second server answers at the address of the first, and whoever came between the two', async () => {
  const door = new Doorway(answers('refused'));
  const { address: { port } } = await enter(door, 'first');
  const before = await ask(port);

  door.hold();
  const between = [ask(port), ask(port)];
  const isAnswered = await Promise.race([...between, pause(systemClock, 20).then(() => false)]);
  const second = await enter(door, 'second');

  expect([before, isAnswered, await Promise.all(between), await ask(port), second.address.port]).toEqual([
    'first', false, ['second', 'second'], 'second', port,
  ]);
});

test('a server that comes when the last one has drained opens a socket of its own', async () => {
  const door = new Doorway(answers('refused'));
  const first = await enter(door, 'first');
  await first.drain();

  const second = await enter(door, 'second');

  expect(await ask(second.address.port)).toBe('second');
});

test('who goes while there is no server is answered by none', async () => {
  const door = new Doorway(answers('refused'));
  const { address: { port } } = await enter(door, 'first');
  door.hold();
  const leaving = new AbortController();
  const asked = ask(port, leaving.signal).catch(() => 'gone');
  await until(() => door.waitingCount === 1);
  leaving.abort();
  await asked;
  await until(() => door.waitingCount === 0);

  const served: string[] = [];
  const serve: Serve = ({ url = '' }, response) => {
    served.push(url);
    response.end();
  };
  opened = await door.enter(ANYWHERE, TIMEOUTS, { ...NOBODY, serve });

  expect(served).toEqual([]);
});

test('a door that is shut while somebody waits refuses him, and his connection keeps it no longer', async () => {
  const door = new Doorway(answers('refused'));
  const first = await enter(door, 'first');
  door.hold();
  const waiting = [ask(first.address.port), ask(first.address.port)];
  await until(() => door.waitingCount === 2);

  const drained = first.drain().then(() => 'drained');

  expect([await Promise.all(waiting), await drained]).toEqual([['refused', 'refused'], 'drained']);
});

test('a server that is destroyed while somebody waits breaks his connection off, and waits for none', async () => {
  const door = new Doorway(answers('refused'));
  const first = await enter(door, 'first');
  door.hold();
  const waiting = ask(first.address.port).catch(() => 'broken off');
  await until(() => door.waitingCount === 1);

  first.destroy();

  expect([await waiting, await first.drain()]).toEqual(['broken off', undefined]);
});
