import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyScript } from '../support/layers/layered-run.ts';
import { LayeredWorld, type LayeredOptions } from '../support/layers/layered-world.ts';
import { layersAtOnce, splicedByPosition } from './layer-controls.ts';
import { PROPERTIES, violations } from './layer-violations.ts';

/** `npm run torture:shapes` makes as many as one likes. */
const RUNS = 250;
const CONTROL_RUNS = 400;
const TIMEOUT_MS = 240_000; // Some seconds on a machine that has nothing else to do.

/** So small that every transaction is larger than a block, and its changes come one by one. */
const ROW = { fillBytes: 1, wholeBytesMax: 1 };

test.each<readonly [string, LayeredOptions, number]>([
  ['', {}, RUNS],
  [', also of transactions that are larger than a block', { blocks: { common: ROW, own: ROW } }, RUNS / 5],
])(
  'two layers of shapes, in any order of delivery and whatever dies, are what the database selects at every prefix%s',
  async (_, options, numRuns) => {
    const property = fc.asyncProperty(anyScript, async (script) => {
      expect(await violations(script, options)).toEqual([]);
    });

    await fc.assert(property, { numRuns });
  },
  TIMEOUT_MS,
);

/** What the first script breaks that breaks anything. */
async function firstBroken(options: LayeredOptions): Promise<readonly string[]> {
  for (const script of fc.sample(anyScript, { numRuns: CONTROL_RUNS, seed: 1 })) {
    const broken = await violations(script, options);
    if (broken.length > 0) return [...new Set(broken.map(({ property }) => PROPERTIES[property]))];
  }
  return [];
}

test.each([
  ['nobody waits between the layers', layersAtOnce, PROPERTIES.promised],
  ['a splice takes what lies before its query instead of what that saw', splicedByPosition, PROPERTIES.equal],
])(
  'a control in which %s is found',
  async (_, options, property) => {
    expect(await firstBroken(options)).toContain(property);
  },
  TIMEOUT_MS,
);


test('a Materializer that is asked for after its shape has ended ends in good order', async () => {
  const world = new LayeredWorld(() => 0);
  await world.begin();
  const args = { handle: '1-1', column: 'id', consumer: 'consumer#1', dependant: '@consumers' };
  world.runtime.send('@consumers', { type: 'startChild', template: 'materializer', args });
  await world.drain();

  const ends = world.exits.filter(({ process }) => process.includes('/materializer/'));
  expect({ ends, crashes: world.crashes }).toMatchObject({ ends: [{ reason: { shutdown: { delete: 'consumerGone' } } }], crashes: [] });
});
