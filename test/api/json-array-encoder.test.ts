/** A body is a JSON array, whatever the runs are that a log gives. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonArray, sharedJsonArray } from '../../src/api/json-array-encoder.ts';
import type { Body } from '../../src/api/shape-response.ts';
import type { EntryKind, EntryRun } from '../../src/model/log-entry.ts';
import type { Lsn } from '../../src/model/lsn.ts';
import { upToDateMessage } from '../support/http/api-world.ts';

const SEEN = '7' as Lsn;

/** @param text each entry with its comma; more follows behind `…`. */
function runOf(text: string, kind: EntryKind = 'row'): EntryRun {
  return { kind, bytes: Buffer.from(text.replace('…', '')), goesOn: text.endsWith('…') };
}

async function* stream(runs: readonly EntryRun[]): AsyncGenerator<EntryRun> {
  yield* runs;
}

async function piecesOf(body: Body): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return pieces;
}

async function read(body: Body): Promise<unknown> {
  return JSON.parse(Buffer.concat(await piecesOf(body)).toString());
}

const CASES: readonly [string, readonly EntryRun[], readonly unknown[]][] = [
  ['nothing', [], []],
  ['one run', [runOf('1,2,')], [1, 2]],
  ['runs of rows and of a control', [runOf('1,2,…'), runOf('{"headers":{}},', 'control')], [1, 2, { headers: {} }]],
  ['an entry that is a comma', [runOf('",",')], [',']],
];

describe.each(CASES)('of %s', (_, runs, entries) => {
  test.each([
    ['in memory', runs],
    ['as a stream', stream(runs)],
  ])('%s, the body is an array', async (__, source) => {
    expect(await read(jsonArray(source, undefined))).toEqual(entries);
  });

  test.each([
    ['in memory', jsonArray(runs, SEEN)],
    ['as a stream', jsonArray(stream(runs), SEEN)],
    ['shared', sharedJsonArray(runs, SEEN)],
  ])('%s, the message that it is up to date comes last', async (__, body) => {
    expect(await read(body)).toEqual([...entries, upToDateMessage(7)]);
  });
});

test('a stream may cut its entries anywhere', async () => {
  const runs = [runOf('{"a"…'), runOf(':1}…'), runOf(',2,…'), runOf('3,')];

  expect(await read(jsonArray(stream(runs), undefined))).toEqual([{ a: 1 }, 2, 3]);
});

test('a stream that grows shows each entry at once, and no comma before there is a next one', async () => {
  const runs = [runOf('1,2,'), runOf('3,…'), runOf('4,')];

  const pieces = await piecesOf(jsonArray(stream(runs), undefined));

  expect(pieces.map((piece) => Buffer.from(piece).toString())).toEqual(['[1,2', ',3,', '4', ']']);
});

test('what goes on is not copied', async () => {
  const run = runOf('2,…');

  const [, second] = await piecesOf(jsonArray(stream([runOf('1,…'), run, runOf('3,')]), undefined));

  expect(second).toBe(run.bytes);
});

test('any entries in any runs, cut anywhere, are one array', async () => {
  const entry = fc.oneof(fc.string(), fc.record({ value: fc.string() }));
  const property = fc.asyncProperty(fc.array(entry), fc.array(fc.nat(200)), async (entries, cuts) => {
    const bytes = Buffer.from(entries.map((one) => `${JSON.stringify(one)},`).join(''));
    const places = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((left, right) => left - right);
    const parts = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
    const runs = parts.map((part, index): EntryRun => ({ kind: 'row', bytes: part, goesOn: index < parts.length - 1 }));

    expect(await read(jsonArray(stream(runs), undefined))).toEqual(entries);
  });
  await fc.assert(property);
});

test('an entry of a kind that nobody knows is refused in a sentence', () => {
  const splice = { ...runOf('1,'), kind: 'splice' } as unknown as EntryRun;

  expect(() => jsonArray([splice], undefined)).toThrow('this version of Armature does not know its kind, splice');
});
