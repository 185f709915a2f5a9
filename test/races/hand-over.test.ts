import fc from 'fast-check';
import { expect, test } from 'vitest';
import { earlyOffset, lateMonitor, trustedSnapshot, unboundedHistory } from '../explore/controls/hand-over-machines.ts';
import { anyScript, run, scriptWithSilences, type RunOptions, type Script } from '../support/hand-over/hand-over-run.ts';
import { PROPERTIES, violationsOf, type Violation } from './violations.ts';
import type { Machines, WorldSizes } from '../support/hand-over/hand-over-world.ts';

/** All orders within small bounds are searched by test/explore; through two layers `npm run torture:shapes` makes as many as one likes. */
const RUNS = 400;
/** Within which each control is found. */
const CONTROL_RUNS = 2_000;
/** Runs spent on making a counterexample smaller. */
const SHRINK_RUNS_MAX = 250;
const TIMEOUT_MS = 240_000; // Ten seconds on a machine that has nothing else to do.

async function violations(script: Script, options?: RunOptions): Promise<readonly Violation[]> {
  const { world, isQuiet } = await run(script, options);
  return violationsOf(world, isQuiet);
}

test(
  'in any order of delivery, whatever dies: each change once, and no Materializer that hangs or crashes',
  async () => {
    const property = fc.asyncProperty(anyScript, async (script) => {
      expect(await violations(script)).toEqual([]);
    });

    await fc.assert(property, { numRuns: RUNS });
  },
  TIMEOUT_MS,
);

test(
  'the same of a history that is read row by row, also within the snapshot',
  async () => {
    const property = fc.asyncProperty(anyScript, async (script) => {
      expect(await violations(script, { sizes: { historyBytesMax: 1 } })).toEqual([]);
    });

    await fc.assert(property, { numRuns: RUNS / 4 });
  },
  TIMEOUT_MS,
);

/** So small that every transaction is larger than a block, and its changes come one by one. */
const ROW = { fillBytes: 1, wholeBytesMax: 1 };
const ROW_BY_ROW: WorldSizes = { blocks: { common: ROW, own: ROW }, tailBytesMax: 0 };

test.each([
  ['transactions that are larger than a block', anyScript, ROW_BY_ROW],
  ['a Consumer that is silent for longer than the collector waits', scriptWithSilences, {}],
  ['both at once', scriptWithSilences, ROW_BY_ROW],
] as const)(
  'the same of %s',
  async (_, scripts, sizes) => {
    const property = fc.asyncProperty(scripts, async (script) => {
      expect(await violations(script, { sizes })).toEqual([]);
    });

    await fc.assert(property, { numRuns: RUNS / 4 });
  },
  TIMEOUT_MS,
);

test('a dependant that begins inside a transaction which is read row by row ends with its values', async () => {
  const wishes = [null, '1'].map((value) => ({ row: 1, value, remove: false }));
  const script = {
    transactions: [{ atStep: 29, lasts: 0, hides: 0, wishes }],
    consumerAtStep: 17,
    materializerAtStep: 11,
    faults: [],
    choices: [...Array<number>(9).fill(0), 1, ...Array<number>(18).fill(0), 3, ...Array<number>(9).fill(0), 3, 3],
  };

  expect(await violations(script, { sizes: { historyBytesMax: 1 } })).toEqual([]);
});

test('a Consumer that is silent again at once hears of its snapshot in the order in which that came', async () => {
  const silences = [{ atStep: 6, lasts: 0, more: 20 }, { atStep: 26, lasts: 0, more: 1 }];
  const script = { transactions: [], materializerAtStep: 60, faults: [], silences, choices: [] };

  expect(await violations(script)).toEqual([]);
});

/** Without a cure: a small script that shows the old bug, found by the property of the test above. */
async function counterexample(machines: Machines): Promise<Script | undefined> {
  let shrinkRuns = 0;
  const property = fc.asyncProperty(anyScript, async (script) => {
    if (shrinkRuns > SHRINK_RUNS_MAX) return true;
    const isViolated = (await violations(script, { machines })).length > 0;
    if (isViolated || shrinkRuns > 0) shrinkRuns += 1;
    return !isViolated;
  });
  const { counterexample: found } = await fc.check(property, { numRuns: CONTROL_RUNS, seed: 3 });
  return found?.[0];
}

test.each([
  ['history is read without an upper bound', unboundedHistory, [PROPERTIES.once]],
  ['the monitor comes after the subscription', lateMonitor, [PROPERTIES.crashes]],
  ['what was routed before the registration is left to the snapshot', trustedSnapshot, [PROPERTIES.once, PROPERTIES.kept]],
  ['an offset is handed out before it can be read', earlyOffset, [PROPERTIES.readable]],
])(
  'a control in which %s is found, and its counterexample is replayed by its choices',
  async (_, machines, broken) => {
    const script = await counterexample(machines);

    const replayed = script === undefined ? [] : await violations(script, { machines });
    expect([...new Set(replayed.map(({ property }) => PROPERTIES[property]))]).toEqual(broken);
  },
  TIMEOUT_MS,
);

test('the same choices give the same run, record by record', async () => {
  const [script] = fc.sample(anyScript, { numRuns: 1, seed: 5 });

  const runs = script === undefined ? [] : [await run(script), await run(script)];

  const [one, other] = runs.map(({ world }) => world.records);
  expect([one?.length, one]).toEqual([other?.length, other]);
});
