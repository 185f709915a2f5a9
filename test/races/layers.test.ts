import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SILENCE_MS } from '../../src/actors/collector/delivery-chart.ts';
import { consumerOf, materializerOf } from '../../src/actors/shape-processes.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { Handle, ShapeDefinition } from '../../src/model/shape.ts';
import { anyLives, anyScript, type Script } from '../support/layers/layered-scripts.ts';
import { INNER_SHAPES, OUTER_SHAPES } from '../support/layers/layered-shapes.ts';
import { LayeredWorld, type LayeredOptions } from '../support/layers/layered-world.ts';
import { layersAtOnce, snapshotOfNow, splicesUntold, splicedByPosition, unknownDependant } from './layer-controls.ts';
import { PROPERTIES, violations } from './layer-violations.ts';
import { leftOver } from './lives-left.ts';

/** `npm run torture:shapes` makes as many as one likes. */
const RUNS = 75;
const CONTROL_RUNS = 400;
const TIMEOUT_MS = 240_000; // Some seconds on a machine that has nothing else to do.

const ONE_DAY_MS = 86_400_000;

/** So small that every transaction is larger than a block, and its changes come one by one. */
const ROW = { fillBytes: 1, wholeBytesMax: 1 };

test.each<readonly [string, fc.Arbitrary<Script>, LayeredOptions, number]>([
  ['', anyScript, {}, RUNS],
  [', also of transactions that are larger than a block', anyScript, { blocks: { common: ROW, own: ROW } }, RUNS / 5],
  [', also when shapes of both layers come and go', anyLives, {}, RUNS],
  [', also when shapes that nothing touches fall asleep', anyScript, { shapeDormantAfterMs: SILENCE_MS }, RUNS],
  [', also when they fall asleep while others come and go', anyLives, { shapeDormantAfterMs: SILENCE_MS }, RUNS],
])(
  'two layers of shapes, in any order of delivery and whatever dies, are what the database selects at every prefix%s',
  async (_, scripts, options, numRuns) => {
    const property = fc.asyncProperty(scripts, async (script) => {
      expect(await violations(script, options)).toEqual([]);
    });

    await fc.assert(property, { numRuns });
  },
  TIMEOUT_MS,
);

/** What scripts break, up to the first one that breaks `property`. */
async function brokenUpTo(property: string, options: LayeredOptions): Promise<ReadonlySet<string>> {
  const broken = new Set<string>();
  for (const script of fc.sample(anyScript, { numRuns: CONTROL_RUNS, seed: 1 })) {
    for (const violation of await violations(script, options)) broken.add(PROPERTIES[violation.property]);
    if (broken.has(property)) break;
  }
  return broken;
}

test.each([
  ['nobody waits between the layers', layersAtOnce, PROPERTIES.promised],
  ['a splice takes what lies before its query instead of what that saw', splicedByPosition, PROPERTIES.equal],
  ['what a splice brings is passed on to nobody', splicesUntold, PROPERTIES.equal],
  ['the first snapshot is taken by what the subqueries select by then', snapshotOfNow, PROPERTIES.strict],
])(
  'a control in which %s is found',
  async (_, options, property) => {
    expect(await brokenUpTo(property, options)).toContain(property);
  },
  TIMEOUT_MS,
);

/** A client reads the inner shape itself, so that nothing ends with the outer one. */
test.each<readonly [string, LayeredOptions, readonly unknown[]]>([
  ['ends with the one for whom it is made, also where that had not subscribed yet', {}, []],
  ['would be left that knew nobody before the subscription: a control', unknownDependant, [expect.stringMatching(/^materializer\/\S+ is/)]],
])('a Materializer %s', async (_, options, left) => {
  const world = new LayeredWorld(() => 0, options);
  await world.begin();
  const inner = await askedShape(world, INNER_SHAPES);
  const outer = await askedShape(world, OUTER_SHAPES);
  const isMade = (): boolean => world.runtime.whereis(materializerOf(inner, 'id')) !== undefined;
  world.runtime.send(consumerOf(outer), { type: 'stop', cause: 'drain' });
  while (isMade()) await nextStep(world);
  while (!isMade()) await nextStep(world);
  world.runtime.exit(consumerOf(outer), 'kill');
  await world.drain();

  expect({ left: leftOver(world), crashes: world.crashes }).toEqual({ left, crashes: [] });
});

/** The first of these, when all of it is there. */
async function askedShape(world: LayeredWorld, [definition]: readonly ShapeDefinition[]): Promise<Handle> {
  invariant(definition !== undefined, 'there are shapes of each kind');
  world.ask(definition);
  await world.drain();
  const handle = world.handleOf(definition);
  invariant(handle !== undefined, 'a shape that was asked for is there');
  return handle;
}

async function nextStep(world: LayeredWorld): Promise<void> {
  await world.settle();
  invariant(world.runtime.step(), 'something is left to deliver');
}

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
  const args = { handle: '1-1', column: 'id', consumer: 'consumer#1', dependant: '@shape-cache' };
  world.runtime.send('@consumers', { type: 'startChild', template: 'materializer', args });
  await world.drain();

  const ends = world.exits.filter(({ process }) => process.includes('/materializer/'));
  expect({ ends, crashes: world.crashes }).toMatchObject({ ends: [{ reason: { shutdown: { delete: 'consumerGone' } } }], crashes: [] });
});
