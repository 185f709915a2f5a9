import fc from 'fast-check';
import { expect, test } from 'vitest';
import { consumerOf } from '../../src/actors/shape-processes.ts';
import { anyScript } from '../support/layers/layered-run.ts';
import { OUTER_SHAPES } from '../support/layers/layered-shapes.ts';
import { LayeredWorld, type LayeredOptions } from '../support/layers/layered-world.ts';
import { layersAtOnce, snapshotOfNow, splicedByPosition } from './layer-controls.ts';
import { PROPERTIES, violations } from './layer-violations.ts';

/** `npm run torture:shapes` makes as many as one likes. */
const RUNS = 250;
const CONTROL_RUNS = 400;
const TIMEOUT_MS = 240_000; // Some seconds on a machine that has nothing else to do.

const ONE_DAY_MS = 86_400_000;

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
  ['the first snapshot is taken by what the subqueries select by then', snapshotOfNow, PROPERTIES.strict],
])(
  'a control in which %s is found',
  async (_, options, property) => {
    expect(await firstBroken(options)).toContain(property);
  },
  TIMEOUT_MS,
);

test('a shape waits for the one that it depends on for as long as that takes, and then comes to life', async () => {
  const world = new LayeredWorld(() => 0);
  const states = (): unknown[] => {
    const outer = [...world.storage.shapes.all()].filter(({ dependsOn }) => dependsOn.length > 0);
    return outer.map(({ handle }) => world.runtime.processInfo(consumerOf(handle))?.state);
  };
  await world.begin();
  world.runtime.suspend('@snapshots');
  for (const definition of OUTER_SHAPES.slice(0, 1)) world.ask(definition);
  await world.drain();
  world.clock.advance(ONE_DAY_MS);
  await world.drain();
  const waiting = states();
  world.runtime.resume('@snapshots');
  await world.drain();

  expect({ waiting, lives: states(), deletions: world.deletions }).toEqual({
    waiting: [{ running: { snapshot: 'unknown', ingest: { depending: 'subscribing' } } }],
    lives: [{ running: { snapshot: 'complete', ingest: 'live' } }],
    deletions: [],
  });
});

test('a Materializer that is asked for after its shape has ended ends in good order', async () => {
  const world = new LayeredWorld(() => 0);
  await world.begin();
  const args = { handle: '1-1', column: 'id', consumer: 'consumer#1', dependant: '@consumers' };
  world.runtime.send('@consumers', { type: 'startChild', template: 'materializer', args });
  await world.drain();

  const ends = world.exits.filter(({ process }) => process.includes('/materializer/'));
  expect({ ends, crashes: world.crashes }).toMatchObject({ ends: [{ reason: { shutdown: { delete: 'consumerGone' } } }], crashes: [] });
});
