/** How much of the log is looked through for what is read of it. */
import { expect, test } from 'vitest';
import type { LogPosition, LogRange } from '../../../src/model/log-position.ts';
import { FIRST, FRAME_KINDS, type Frame, type FrameKind } from '../../../src/storage/log/frame.ts';
import { encodeCommit } from '../../../src/storage/log/frame-payloads.ts';
import { LogReader, type FrameSource } from '../../../src/storage/log/log-reader.ts';
import { bytes, lsn, upTo, xid } from '../../support/storage/stored-samples.ts';

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

function frame(index: number, kind: FrameKind, flags: number, payload: Uint8Array): Frame {
  return { kind, flags, xid: xid(7), payload, start: (10 * index) as LogPosition, end: (10 * index + 10) as LogPosition };
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
