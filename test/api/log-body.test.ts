/** A body is a JSON array, whatever the pieces are that a log gives. */
import { expect, test } from 'vitest';
import { logBody } from '../../src/api/log-body.ts';
import type { Lsn } from '../../src/model/lsn.ts';
import { upToDateMessage } from '../support/http/api-world.ts';

async function* stream(pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function read(body: ReturnType<typeof logBody>): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString());
}

const CASES: readonly [string, readonly string[], readonly unknown[]][] = [
  ['nothing', [], []],
  ['an empty piece', [''], []],
  ['a line after an empty piece', ['', '1'], [1]],
  ['a line in two pieces', ['{"a"', ':1}'], [{ a: 1 }]],
  ['lines with an empty piece between', ['1', '', ',2', ''], [1, 2]],
];

test.each(CASES)('of %s, in memory and as a stream', async (_, pieces, lines) => {
  const inMemory = pieces.map((piece) => Buffer.from(piece));
  const bodies = [
    logBody(inMemory, undefined),
    logBody(stream(pieces), undefined),
    logBody(inMemory, '7' as Lsn),
    logBody(stream(pieces), '7' as Lsn),
  ];
  const atEnd = [...lines, upToDateMessage(7)];
  expect(await Promise.all(bodies.map(read))).toEqual([lines, lines, atEnd, atEnd]);
});
