import { expect, test } from 'vitest';
import { isInMemory, type Body } from '../../../src/api/shape-response.ts';
import { GatheredRows } from '../../../src/service/wiring/subsets/gathered-rows.ts';

const LARGE = Buffer.alloc(700 * 1024, 'x');

/** Whether a promise has settled once all that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  return settled;
}

function streamed(body: Body): AsyncIterator<Uint8Array> {
  expect(isInMemory(body)).toBe(false);
  return (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
}

test('rows that fit come together, at the end', async () => {
  const rows = new GatheredRows(() => {});
  const begun = rows.begun();
  await rows.write(Buffer.from('a'));
  await rows.write(Buffer.from('b'));
  const early = await isSettled(begun);
  rows.complete();

  expect([early, await begun]).toEqual([false, [Buffer.from('a'), Buffer.from('b')]]);
});

test('of more rows the writer waits until they are read', async () => {
  const rows = new GatheredRows(() => {});
  await rows.write(LARGE);
  const second = rows.write(LARGE);
  const held = await isSettled(second);
  const reader = streamed(await rows.begun());
  const first = await reader.next();
  const freed = await isSettled(second);
  rows.complete();
  const rest = [await reader.next(), await reader.next()];

  expect([held, freed, first.value?.length, rest.map(({ done }) => done)]).toEqual([false, true, LARGE.length, [false, true]]);
});

test('an error among the first rows is thrown before any of them is given', async () => {
  const rows = new GatheredRows(() => {});
  await rows.write(Buffer.from('a'));
  rows.fail(new Error('refused'));

  await expect(rows.begun()).rejects.toThrow('refused');
});

test('a later error breaks the stream off', async () => {
  const rows = new GatheredRows(() => {});
  void rows.write(LARGE);
  void rows.write(LARGE);
  const reader = streamed(await rows.begun());
  await reader.next();
  await reader.next();
  rows.fail(new Error('lost'));

  await expect(reader.next()).rejects.toThrow('lost');
});

test('a reader that leaves frees the writer, and the query is told', async () => {
  let left = 0;
  const rows = new GatheredRows(() => (left += 1));
  void rows.write(LARGE);
  const waiting = rows.write(LARGE);
  const reader = streamed(await rows.begun());
  await reader.next();
  await reader.return?.();

  expect([await isSettled(waiting), left]).toEqual([true, 1]);
});
