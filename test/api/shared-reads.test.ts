/** Readers that are woken together: they share the bytes, but never a stream, which is read once. */
import { expect, test } from 'vitest';
import { isRefusal } from '../../src/api/refusal.ts';
import { invariant } from '../../src/base/invariant.ts';
import { isLive, type Body } from '../../src/api/shape-response.ts';
import { createWorld, itemLine, upToDateMessage, type World } from '../support/http/api-world.ts';
import { until } from '../support/http/http-world.ts';

async function bodyOf(
  world: World,
  parameters: Readonly<Record<string, string>>,
): Promise<{ readonly body: Body; readonly handle: string }> {
  const permit = world.api.admit(parameters['handle']);
  invariant(!isRefusal(permit), 'there are few readers');
  const response = await world.api.readShape({
    parameters: { table: 'items', ...parameters },
    ifNoneMatch: undefined,
    permit,
    signal: new AbortController().signal,
  });
  invariant(response.kind === 'log' && !isLive(response.body), 'the log can be read');
  return { body: response.body, handle: response.handle };
}

/** Two polls, and the transaction that wakes both. */
async function polledTogether(streams: boolean): Promise<readonly Body[]> {
  const world = createWorld({ streams });
  const { handle } = await bodyOf(world, { offset: '-1' });
  const polls = [1, 2].map(() => bodyOf(world, { offset: '0_inf', handle, live: 'true' }));
  await until(() => world.api.load().parked === polls.length);
  world.append(handle, 100, itemLine('1', 'a'));
  return (await Promise.all(polls)).map(({ body }) => body);
}

async function read(body: Body): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString());
}

test('what is in memory is one buffer for all', async () => {
  const [first, second] = await polledTogether(false);
  expect(first).toBe(second);
});

test('what is a stream is one for each', async () => {
  const answer = [JSON.parse(itemLine('1', 'a')), upToDateMessage(100)];
  expect(await Promise.all((await polledTogether(true)).map(read))).toEqual([answer, answer]);
});
