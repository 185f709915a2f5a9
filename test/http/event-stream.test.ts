/** The real client, told to use event streams, against a server that has none: it polls, and misses nothing. */
import { isChangeMessage, ShapeStream, type Message } from '@electric-sql/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { itemLine } from '../support/http/api-world.ts';
import { startHttpWorld, type HttpWorld } from '../support/http/http-world.ts';

let world: HttpWorld;
const warn = vi.spyOn(console, 'warn');

beforeEach(async () => {
  warn.mockImplementation(() => {}); // The client says that it falls back, which is what is tested.
  world = await startHttpWorld({ rows: [itemLine('1', 'a')] });
});

afterEach(async () => {
  warn.mockReset();
  await world.close();
});

test('the client falls back to polling for good, and gets what came meanwhile', async () => {
  const controller = new AbortController();
  const errors: unknown[] = [];
  const stream = new ShapeStream({
    url: `${world.origin}/v1/shape`,
    params: { table: 'items' },
    liveSse: true,
    signal: controller.signal,
    onError: (error) => void errors.push(error),
  });
  const ids: unknown[] = [];
  stream.subscribe((messages: Message[]) => {
    for (const message of messages) if (isChangeMessage(message)) ids.push(message.value['id']);
  });
  await world.until(() => stream.isUpToDate);
  world.append(stream.shapeHandle ?? '', 100, itemLine('2', 'b'));
  await world.until(() => ids.includes('2'));
  await world.untilParked(1);
  world.append(stream.shapeHandle ?? '', 200, itemLine('3', 'c'));
  await world.until(() => ids.includes('3'));
  controller.abort();

  const says = warn.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('Falling back to long polling'));
  expect({ ids, errors, fallbacks: says.length }).toEqual({ ids: ['1', '2', '3'], errors: [], fallbacks: 1 });
});
