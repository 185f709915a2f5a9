/** How much of the log is looked through for what is read of it. */
import { expect, test } from 'vitest';
import type { LogPosition, LogRange } from '../../../src/model/log-position.ts';
import { LogCorruptError } from '../../../src/storage/errors.ts';
import { FIRST, FRAME_KINDS, type Frame, type FrameKind } from '../../../src/storage/log/frame.ts';
import { encodeCommit } from '../../../src/storage/log/frame-payloads.ts';
import { LogReader, type FrameSource } from '../../../src/storage/log/log-reader.ts';
import { bytes, lsn, text, upTo, xid } from '../../support/storage/stored-samples.ts';

const FRAGMENTS = 50;

/** Frames ten bytes apart; counts how many are given. */
class CountedFrames implements FrameSource {
  given = 0;

  constructor(private readonly kept: readonly Frame[]) {}

  async *frames({ after, through }: LogRange): AsyncIterable<Frame> {
    for (const frame of this.kept.filter(({ start, end }) => start >= after && end <= through)) {
      this.given += 1;
      yield frame;
    }
  }
}

function frame(index: number, kind: FrameKind, flags: number, payload: Uint8Array, of = 7): Frame {
  return { kind, flags, xid: xid(of), payload, start: (10 * index) as LogPosition, end: (10 * index + 10) as LogPosition };
}

test('the end of a large transaction is looked for once, whoever reads it, also from before what lies in front of it', async () => {
  const changes = Array.from({ length: FRAGMENTS }, (_, index) =>
    frame(1 + index, FRAME_KINDS.changes, index === 0 ? FIRST : 0, bytes('0123456789')),
  );
  const commit = frame(1 + FRAGMENTS, FRAME_KINDS.commit, 0, encodeCommit({ lsn: lsn(9), frameCount: FRAGMENTS }));
  const source = new CountedFrames([frame(0, FRAME_KINDS.durable, 0, new Uint8Array(8)), ...changes, commit]);
  const reader = new LogReader(source);
  const range = { after: 0 as LogPosition, through: commit.end };
  const costs: number[] = [];
  for (let read = 0; read < 3; read += 1) {
    const before = source.given;
    await reader.read(range, upTo(20));
    costs.push(source.given - before);
  }

  expect(costs.map((cost) => (cost > FRAGMENTS ? 'looks for the end' : 'reads its part'))).toEqual([
    'looks for the end',
    'reads its part',
    'reads its part',
  ]);
});

/** A reader that has not read yet, of these frames of changes: whose, and whether they begin their transaction. */
function readerOf(changes: readonly (readonly [of: number, flags: number, text: string])[]) {
  const frames = changes.map(([of, flags, text], index) => frame(index, FRAME_KINDS.changes, flags, bytes(text), of));
  const commit = frame(changes.length, FRAME_KINDS.commit, 0, encodeCommit({ lsn: lsn(9), frameCount: 2 }), changes.at(-1)?.[0]);
  const range = { after: 0 as LogPosition, through: commit.end };
  return { reader: new LogReader(new CountedFrames([...frames, commit])), range };
}

test.each([
  ['the same transaction', 7],
  ['another one', 8],
])('of a large transaction that was given up, nothing is read where %s was begun behind it', async (_, behind) => {
  const { reader, range } = readerOf([[7, FIRST, '0123456789'], [7, 0, '0123456789'], [behind, FIRST, 'the whole'], [behind, 0, ' of it']]);

  const { transactions } = await reader.read(range, upTo(12));

  expect(transactions.map(({ fragments }) => fragments.map(text))).toEqual([['the whole', ' of it']]);
});

test('changes that belong to no transaction are damage, also inside a large one', async () => {
  const { reader, range } = readerOf([[7, FIRST, '0123456789'], [8, 0, '0123456789']]);

  await expect(reader.read(range, upTo(5))).rejects.toThrow(LogCorruptError);
});

test('of many large transactions the newest are remembered', () => {
  const reader = new LogReader(new CountedFrames([]));
  const begins = Array.from({ length: 17 }, (_, index) => (10 * index) as LogPosition);
  const endOf = (after: LogPosition) => (after + 10) as LogPosition;
  for (const after of begins) {
    reader.remember({ xid: xid(7), lsn: lsn(9), behind: after, after, end: endOf(after), bytes: 30, layouts: new Set([1]) });
  }

  const known = begins.map((after) => reader.surveyed({ after, through: endOf(after) }, 20)?.through);

  expect(known).toEqual([undefined, ...begins.slice(1).map(endOf)]);
});
