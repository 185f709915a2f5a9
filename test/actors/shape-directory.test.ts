import { expect, test } from 'vitest';
import { ShapeDirectory } from '../../src/actors/shape-directory.ts';
import type { Pid, ReplyTo } from '../../src/otp/process.ts';
import { memoryStorage } from '../../src/storage/memory-storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { shapeOf } from '../support/shapes.ts';

test('a purge is answered when the last shape has been deleted', () => {
  const clock = new ManualClock();
  const { shapes } = memoryStorage({ clock, chunkBytesMax: 1000 });
  const directory = new ShapeDirectory(shapes, clock, { rotated: () => {} });
  const reply = 'call#1' as ReplyTo;
  const processes = ['one', 'two'].map((where, index) => {
    const reserved = directory.apply({ type: 'reserve', definition: shapeOf({ where: { column: 'title', equals: where } }), replyTo: reply });
    const pid = `consumer#${index}` as Pid;
    if (reserved !== undefined && 'handle' in reserved) directory.apply({ type: 'started', handle: reserved['handle'] as never, pid });
    return pid;
  });

  const condemned = directory.apply({ type: 'purge', why: 'asked', replyTo: 'call#2' as ReplyTo });
  const answers = processes.map((pid) => {
    directory.apply({ type: 'down', pid, reason: { shutdown: { delete: 'asked' } } });
    return { left: [...shapes.all()].length, answer: directory.apply('countCondemned') };
  });

  expect({ condemned, answers, again: directory.apply('countCondemned') }).toEqual({
    condemned: { type: 'shapes.condemned', pids: processes, why: 'asked' },
    answers: [{ left: 1, answer: undefined }, { left: 0, answer: { type: 'shapes.purged', replies: ['call#2'] } }],
    again: undefined,
  });
});
