import { expect, test } from 'vitest';
import { ChildBacklog } from '../../../src/otp/supervision/child-backlog.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { Family } from '../../support/otp/family.ts';

const pid = (id: string) => `sup/${id}#1` as Pid;

function nextOf(backlog: ChildBacklog, count: number): unknown[] {
  return Array.from({ length: count }, () => backlog.next());
}

test('gives back ends first, then requests, each in their order, and one that was sent twice twice', () => {
  const backlog = new ChildBacklog();
  const request = { type: 'whichChild', id: 'a' } as const;
  backlog.keepRequest(request);
  backlog.keepExit({ process: pid('b'), reason: 'killed' });
  backlog.keepRequest(request);
  backlog.keepExit({ process: pid('a'), reason: 'normal' });

  expect(nextOf(backlog, 5)).toEqual([
    { type: 'child.kept', process: pid('b'), reason: 'killed' },
    { type: 'child.kept', process: pid('a'), reason: 'normal' },
    request,
    request,
    undefined,
  ]);
});

test('an end that is taken out is not given back, and a copy goes its own way', () => {
  const backlog = new ChildBacklog();
  backlog.keepExit({ process: pid('a'), reason: 'normal' });
  const copy = backlog.clone();

  const taken = [backlog.takeExit(pid('a')), backlog.takeExit(pid('a'))];

  expect({ taken, left: nextOf(backlog, 1), copied: nextOf(copy, 1) }).toEqual({
    taken: [true, false],
    left: [undefined],
    copied: [{ type: 'child.kept', process: pid('a'), reason: 'normal' }],
  });
});

test('many children whose restart fails cost each what one of a few costs', async () => {
  const handledPerChild = async (count: number): Promise<number> => {
    const ids = Array.from({ length: count }, (_, index) => `c${index}`);
    const family = await Family.start(Object.fromEntries(ids.map((id) => [id, { starts: ['up', 'fail', 'fail'] as const }])), {
      maxRestarts: 10_000,
    });
    const { runtime } = family.world;
    const before = runtime.processInfo(family.pid)?.handled ?? 0;
    for (const id of ids) runtime.exit(`@${id}`, 'kill');
    runtime.drain();
    return ((runtime.processInfo(family.pid)?.handled ?? 0) - before) / count;
  };

  const [few, many] = [await handledPerChild(10), await handledPerChild(300)];

  expect(many).toBeLessThan(1.5 * few);
});
