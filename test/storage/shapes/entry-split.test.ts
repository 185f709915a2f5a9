import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntryRun } from '../../../src/model/log-entry.ts';
import { snapshotChunkEnd } from '../../../src/model/log-offset.ts';
import { entriesOf } from '../../../src/storage/shapes/entry-split.ts';

/** @param cuts where a run ends and the next one begins. */
async function* runsOf(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<EntryRun> {
  const places = [0, ...cuts, bytes.length];
  for (const [index, from] of places.slice(0, -1).entries())
    yield { kind: 'row', bytes: bytes.subarray(from, places[index + 1]), goesOn: index < places.length - 2 };
}

async function split(values: readonly unknown[], cutsOf: (bytes: Buffer) => readonly number[]): Promise<readonly unknown[]> {
  const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)},`).join(''));
  const found: unknown[] = [];
  for await (const entries of entriesOf(runsOf(bytes, cutsOf(bytes)), snapshotChunkEnd(3)))
    found.push(...entries.map(({ bytes: entry }) => JSON.parse(Buffer.from(entry).toString())));
  return found;
}

test('any values come one by one, wherever their bytes are cut', async () => {
  const cutPlaces = fc.array(fc.nat(), { maxLength: 5 });
  const property = fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), cutPlaces, async (values, places) => {
    const cutsOf = ({ length }: Buffer) => places.map((place) => place % (length + 1)).sort((left, right) => left - right);

    expect(await split(values, cutsOf)).toEqual(JSON.parse(JSON.stringify(values)));
  });
  await fc.assert(property, { numRuns: 500 });
});

test('a value that is cut behind every byte comes whole', async () => {
  const value = { '"': ['\\"', ',', '\\\\', 'é\u{1F600}', { '},': ']' }], n: null };

  expect(await split([value, value], ({ length }) => Array.from({ length: length - 1 }, (_, index) => index + 1))).toEqual([value, value]);
});

test('bytes that end within an entry are no chunk', async () => {
  const reading = (async () => {
    for await (const _ of entriesOf(runsOf(Buffer.from('{"a":1'), []), snapshotChunkEnd(0)));
  })();

  await expect(reading).rejects.toThrow('a chunk ends with an entry');
});
