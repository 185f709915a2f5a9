/** What a search takes for one world must be one: those that differ in what a process may find there have different keys. */
import { expect, test } from 'vitest';
import { LOG_BEGIN, type EntryPlace } from '../../src/model/log-entry.ts';
import { SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import type { Pid } from '../../src/otp/process.ts';
import type { World } from './checker/system.ts';
import { HANDLE } from './hand-over/hand-over-model.ts';
import { handOverSystem } from './hand-over/hand-over-system.ts';
import { spliceSystem } from './splices/splice-system.ts';

interface WithHistory<Kind> extends World<Kind> {
  beginMaterializer(self: Pid): void;
  endMaterializer(self: Pid): void;
  readHistory(owner: Pid, after: EntryPlace, through: LogOffset): EntryPlace | undefined;
}

const [FIRST, SECOND] = ['materializer#1' as Pid, 'materializer#2' as Pid];
const BOUNDS = { transactions: 1, kills: 0, timeouts: 0, restarts: 0 } as const;

test('a block that was read for a Materializer which has ended is told from one that lies ready for the next: a hand-over', async () => {
  const { world } = await handOverSystem(BOUNDS);
  world.shapes.create(HANDLE, world.definition);
  world.takeSnapshot();

  expect(isToldApart(world)).toBe(true);
});

test('a block that was read for a Materializer which has ended is told from one that lies ready for the next: a splice', async () => {
  const { world } = await spliceSystem({ ...BOUNDS, script: 'both', moveOuts: 'events', crashes: 0 });

  expect(isToldApart(world)).toBe(true);
});

/** Of a world in which only the first has read, and of one in which the second has too. */
function isToldApart<Kind extends WithHistory<Kind>>(world: Kind): boolean {
  world.beginMaterializer(FIRST);
  world.readHistory(FIRST, LOG_BEGIN, SNAPSHOT_END);
  world.endMaterializer(FIRST);
  world.beginMaterializer(SECOND);
  const before = world.key();
  world.readHistory(SECOND, LOG_BEGIN, SNAPSHOT_END);
  return world.key() !== before;
}
