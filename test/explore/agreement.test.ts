/** The checker is no second runtime: what it says of a system is what the production runtime does, state by state. */
import { expect, test } from 'vitest';
import { differenceOn, firstDifference } from './agreement.ts';
import type { Local } from './checker/local.ts';
import type { System } from './checker/system.ts';
import { withFollowedName } from './controls/followed-name.ts';
import { keptRelation } from './controls/handle-machines.ts';
import { unsynced } from './controls/splice-machines.ts';
import type { HandOverModel } from './hand-over/hand-over-model.ts';
import { handOverSystem, type HandOverBounds } from './hand-over/hand-over-system.ts';
import { localStates } from './hand-over/local-states.ts';
import { handleSetting } from './handles/handle-setting.ts';
import { handleSystem, type HandleBounds } from './handles/handle-system.ts';
import { HandOverStage } from './replay/hand-over-stage.ts';
import { spliceSystem, type SpliceBounds } from './splices/splice-system.ts';

/** Of each kind; `npm run explore -- --walks 100` takes more. */
const WALKS = 6;
const PEACE = { kills: 0, timeouts: 0, restarts: 0 } as const;
const SPLICES: SpliceBounds = { ...PEACE, script: 'both', transactions: 2, moveOuts: 'events', crashes: 0 };
const HANDLES: HandleBounds = { asks: [], kills: 0, timeouts: 0, fates: {}, victims: 'shapes' };
const ONE_DEATH: HandleBounds = { ...HANDLES, live: ['inner'], kills: 1 };

test.each<[string, HandOverBounds]>([
  ['one transaction', { ...PEACE, transactions: 1 }],
  ['whole transactions, and one in parts', { ...PEACE, transactions: 4 }],
  ['somebody is killed', { ...PEACE, transactions: 4, kills: 1 }],
])('a hand-over over the real logs passes the local states that the checker passes: %s', async (_, bounds) => {
  const system = withFollowedName(await handOverSystem(bounds)); // As the runtime's world does.

  expect(await walks((seed) => differenceFromLogs(system, bounds, seed))).toEqual([]);
});

test.each<[string, HandOverBounds]>([
  ['whole transactions, and one in parts', { ...PEACE, transactions: 4 }],
  ['somebody is killed', { ...PEACE, transactions: 3, kills: 1 }],
  ['a Consumer drains and returns', { ...PEACE, transactions: 2, restarts: 1, kills: 1 }],
  ['time-outs fire', { ...PEACE, transactions: 2, timeouts: 1 }],
])('random walks through a hand-over pass the same states on the runtime: %s', async (_, bounds) => {
  const system = await handOverSystem(bounds);

  expect(await walks((seed) => differenceOn(system, system, seed))).toEqual([]);
});

test.each<[string, Partial<SpliceBounds>]>([
  ['a parent and its child come', {}],
  ['a value comes, and Postgres shows another order', { script: 'comes' }],
  ['a value goes, and the rows are told as deletes', { script: 'goes', moveOuts: 'deletes' }],
  ['NULL takes the place of a value, and is told row by row', { script: 'nullPasses' }],
  ['a value comes and goes, and one of two who look it up is slow', { script: 'returns', cast: 'slow' }],
  ['values move at three depths, and somebody is killed', { script: 'deep', cast: 'layers', kills: 1 }],
  ['somebody is killed', { kills: 1 }],
  ['a Consumer drains and returns', { restarts: 1, kills: 1 }],
  ['the power goes', { crashes: 1 }],
  ['time-outs fire', { timeouts: 1 }],
])('random walks through a splice pass the same states on the runtime: %s', async (_, changes) => {
  const system = await spliceSystem({ ...SPLICES, ...changes });

  expect(await walks((seed) => differenceOn(system, system, seed))).toEqual([]);
});

test.each<[string, Partial<HandleBounds>]>([
  ['two requests, and whoever is killed', { live: ['inner'], asks: ['inner', 'inner'], kills: 1 }],
  ['what a request sets going is answered late', { asks: ['outer'], kills: 1, late: ['@consumers', '@publication', '@snapshots'] }],
  ['clients go away', { live: ['inner'], asks: ['inner', 'outer'], kills: 2, victims: 'requests' }],
  ['a shape is deleted that another depends on', { live: ['outer'], asks: ['outer'], fates: { deletion: 1 } }],
  ['a query fails, and a Consumer drains', { asks: ['outer', 'inner'], fates: { refusal: 1, drain: 1 } }],
  ['tables are emptied and taken out, and time-outs fire', { live: ['outer'], fates: { truncation: 1, loss: 1 }, timeouts: 1 }],
  ['the power goes', { live: ['inner'], asks: ['outer'], kills: 1, fates: { crash: 1 } }],
])('random walks through the life of a handle pass the same states on the runtime: %s', async (_, changes) => {
  const system = handleSystem(await handleSetting(), { ...HANDLES, ...changes });

  expect(await walks((seed) => differenceOn(system, system, seed))).toEqual([]);
});

test('a machine that does something else is told apart', async () => {
  const [checked, run] = [await spliceSystem(SPLICES, unsynced), await spliceSystem(SPLICES)];

  expect((await walks((seed) => differenceOn(checked, run, seed))).length).toBeGreaterThan(0);
});

test('a directory that does something else is told apart, behind an opening that is the same', async () => {
  const setting = await handleSetting();
  const [checked, run] = [handleSystem(setting, ONE_DEATH, keptRelation), handleSystem(setting, ONE_DEATH)];

  expect((await walks((seed) => differenceOn(checked, run, seed))).length).toBeGreaterThan(0);
});

async function walks(differenceIn: (seed: number) => Promise<object | undefined>): Promise<readonly object[]> {
  const differences: object[] = [];
  for (let seed = 0; seed < WALKS; seed += 1) {
    const found = await differenceIn(seed);
    if (found !== undefined) differences.push({ seed, ...found });
  }
  return differences;
}

async function differenceFromLogs(system: System<HandOverModel>, bounds: HandOverBounds, seed: number): Promise<object | undefined> {
  const { log } = system.world;
  const ends = log.transactions.map((_each, index) => log.endOf(index + 1).through);
  const stage = await HandOverStage.open(bounds.transactions);
  return firstDifference(system, seed, {
    take: (turn) => stage.take(turn),
    checked: (state) => localStates(ends, (role) => snapshotOf(state.process(role))),
    run: () => stage.states(),
  });
}

function snapshotOf(local: Local) {
  return local.status === 'alive' ? local.snapshot : undefined;
}
