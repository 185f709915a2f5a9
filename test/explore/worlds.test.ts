/**
 * What a search takes for one world must be one: those that differ in what a process may find there have different keys. And what a key
 * leaves out makes no difference.
 */
import { expect, test } from 'vitest';
import { LOG_BEGIN, type EntryPlace } from '../../src/model/log-entry.ts';
import { SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import { LSN_ZERO, type Lsn } from '../../src/model/lsn.ts';
import type { Pid } from '../../src/otp/process.ts';
import type { System, World } from './checker/system.ts';
import { comingsOf } from './comings.ts';
import { HANDLE, HandOverModel } from './hand-over/hand-over-model.ts';
import { handOverSystem, type HandOverBounds } from './hand-over/hand-over-system.ts';
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

/**
 * Knows of each snapshot how far Postgres had logged in truth, of each filter what it was made of, though nothing is left for it, and of
 * each Materializer that has ended what it had applied.
 */
class WordyModel extends HandOverModel {
  override clone(): HandOverModel {
    return Object.setPrototypeOf(super.clone(), WordyModel.prototype) as HandOverModel;
  }

  override key(): string {
    return JSON.stringify([super.key(), this.shapes.key()]);
  }

  override beginMaterializer(self: Pid): void {
    super.beginMaterializer(self);
    this.is = { ...this.is, applied: [] };
  }

  override endMaterializer(self: Pid): void {
    const { applied } = this.is;
    super.endMaterializer(self);
    this.is = { ...this.is, applied };
  }

  protected override get insertLsn(): Lsn {
    return this.log.transactions[this.is.committed - 1]?.lsn ?? LSN_ZERO;
  }
}

test.each<[string, Partial<HandOverBounds>]>([
  ['two commits', { transactions: 2 }],
  ['somebody is killed', { kills: 1 }],
  ['a Consumer drains and returns', { restarts: 1 }],
])('what a world does not say of the past makes no difference: %s', async (_, bounds) => {
  const system = await handOverSystem({ ...BOUNDS, ...bounds });
  const wordy: System<HandOverModel> = { ...system, world: new WordyModel(system.world.log, system.world.definition) };

  const [few, all] = [comingsOf(system, 'prompt', textOf), comingsOf(wordy, 'prompt', textOf)];

  expect({ ...few, isSmaller: few.states < all.states, states: 0 }).toEqual({ ...all, isSmaller: true, states: 0 });
});

/** What was applied for whoever lives, and the log of the shape. */
function textOf({ is, shapeLog }: HandOverModel): string {
  const { position, state: { rows, lines, pending } = {} } = shapeLog ?? {};
  return JSON.stringify([is.committed, is.hasDrained, is.follower === '' ? [] : is.applied, position, rows, lines, pending]);
}

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
