/**
 * Run: one life of the world, from a script. The script says what happens from outside and when, and its choices say
 * which signal is delivered next: the same script gives the same run.
 */
import fc from 'fast-check';
import type { ExitReason } from '../../../src/otp/process.ts';
import type { Wish } from './model-database.ts';
import { SILENCE_MS } from '../../../src/actors/collector/delivery-chart.ts';
import { NAMES, HandOverWorld, type Machines, type WorldSizes } from './hand-over-world.ts';

/** Steps are deliveries; when nothing is left to deliver, the next happening comes at once. */
export interface Script {
  readonly transactions: readonly ScriptedTransaction[];
  /** When the shape is made. */
  readonly consumerAtStep?: number;
  /** Counted from then. */
  readonly materializerAtStep: number;
  readonly faults: readonly { readonly atStep: number; readonly victim: Victim; readonly how: Fault }[];
  /** For how many steps the Consumer takes nothing, and how many more it does so after everybody's patience is over. */
  readonly silences?: readonly { readonly atStep: number; readonly lasts: number; readonly more: number }[];
  /** Indexes among the heads of the channels, oldest first; 0 when they have run out. */
  readonly choices: readonly number[];
}

export interface ScriptedTransaction {
  readonly atStep: number;
  readonly lasts: number;
  /** How long, once its commit is logged, no snapshot sees it. */
  readonly hides?: number;
  readonly wishes: readonly Wish[];
}

export type Victim = keyof typeof NAMES;
/** `crash` is an event that no state handles; `delete` and `drain` are good order. */
export type Fault = 'kill' | 'crash' | 'shutdown' | 'delete' | 'drain';

const STEPS_MAX = 4_000;

interface Happening {
  readonly atStep: number;
  readonly happen: () => void;
}

export interface RunOptions {
  readonly machines?: Machines;
  readonly sizes?: WorldSizes;
  /** Looks at the world before each delivery, and may strike. */
  readonly onStep?: (world: HandOverWorld) => void;
}

export interface Outcome {
  readonly world: HandOverWorld;
  /** False when the world did not come to rest. */
  readonly isQuiet: boolean;
}

/** @returns the world when nothing is left to happen. */
export async function run(script: Script, { machines, sizes, onStep }: RunOptions = {}): Promise<Outcome> {
  let next = 0;
  const world = new HandOverWorld((candidates) => (script.choices[next++] ?? 0) % candidates.length, machines, sizes);
  await world.begin();
  const happenings = happeningsOf(script, world);
  let isQuiet = false;
  for (let step = 0; step < STEPS_MAX && !isQuiet; step += 1) {
    while ((happenings[0]?.atStep ?? Number.POSITIVE_INFINITY) <= step) happenings.shift()?.happen();
    await world.settle();
    world.look();
    onStep?.(world);
    if (world.runtime.step()) continue;
    const early = happenings.shift();
    isQuiet = early === undefined;
    early?.happen();
  }
  return { world, isQuiet };
}

function happeningsOf(script: Script, world: HandOverWorld): Happening[] {
  const { transactions, consumerAtStep = 0, materializerAtStep, faults, silences = [] } = script;
  const { runtime } = world;
  const start = (template: string) => runtime.send(NAMES.consumers, { type: 'startChild', template, args: { type: 'none' } });
  const happenings = [
    {
      atStep: consumerAtStep,
      happen: () => {
        world.createShape();
        start('consumer');
      },
    },
    { atStep: consumerAtStep + materializerAtStep, happen: () => start('materializer') },
    { atStep: consumerAtStep + materializerAtStep + 1, happen: () => start('dependant') },
    ...transactions.flatMap(({ atStep, lasts, hides = 0, wishes }, index) => [
      { atStep, happen: () => runtime.send('@writer', { type: 'begin', index }) },
      { atStep: atStep + lasts, happen: () => runtime.send('@writer', { type: 'commit', index, wishes }) },
      { atStep: atStep + lasts + hides, happen: () => runtime.send('@writer', { type: 'show', index }) },
    ]),
    ...silences.flatMap(({ atStep, lasts, more }) => [
      { atStep, happen: () => runtime.suspend(NAMES.consumer) },
      { atStep: atStep + lasts, happen: () => world.clock.advance(SILENCE_MS) },
      { atStep: atStep + lasts + more, happen: () => runtime.resume(NAMES.consumer) },
    ]),
    ...faults.map(({ atStep, victim, how }) => ({ atStep, happen: () => strike(world, victim, how) })),
  ];
  return happenings.sort((left, right) => left.atStep - right.atStep);
}

const EXITS: Readonly<Record<Exclude<Fault, 'crash' | 'drain'>, ExitReason | 'kill'>> = {
  kill: 'kill',
  shutdown: 'shutdown',
  delete: { shutdown: { delete: 'test' } },
};

export function strike({ runtime }: HandOverWorld, victim: Victim, how: Fault): void {
  const address = NAMES[victim];
  if (how === 'crash') runtime.send(address, { type: 'poison' });
  else if (how !== 'drain') runtime.exit(address, EXITS[how]);
  else if (victim === 'consumer') runtime.send(address, { type: 'stop', cause: 'drain' });
}

const wish: fc.Arbitrary<Wish> = fc.record({
  row: fc.nat({ max: 3 }),
  value: fc.option(fc.constantFrom('1', '2'), { freq: 6 }),
  remove: fc.boolean(),
});

/** About when a world without faults has come to rest. */
const LAST_STEP = 120;

/** Any order at all. */
const dense = fc.array(fc.nat({ max: 9 }), { maxLength: 120, size: 'max' });

/** The order of sending, but for a few deliveries that overtake others: most races need no more, and these are told apart best. */
const sparse = fc
  .array(fc.record({ later: fc.nat({ max: 12 }), choice: fc.integer({ min: 1, max: 5 }) }), { maxLength: 16, size: 'max' })
  .map((overtakings) => overtakings.flatMap(({ later, choice }) => [...Array<number>(later).fill(0), choice]));

const transaction = fc.record({
  atStep: fc.nat({ max: LAST_STEP }),
  lasts: fc.nat({ max: 12 }),
  hides: fc.nat({ max: 30 }),
  wishes: fc.array(wish, { minLength: 1, maxLength: 3 }),
});

const fault = fc.record({
  atStep: fc.nat({ max: LAST_STEP }),
  victim: fc.constantFrom<Victim>('consumer', 'consumer', 'consumer', 'materializer', 'dependant', 'snapshotter', 'consumers'),
  how: fc.constantFrom<Fault>('kill', 'crash', 'shutdown', 'delete', 'drain'),
});

export const anyScript: fc.Arbitrary<Script> = fc.record({
  transactions: fc
    .array(transaction, { maxLength: 8, size: 'max' })
    .map((transactions) => [...transactions].sort((left, right) => left.atStep - right.atStep)),
  consumerAtStep: fc.nat({ max: 30 }),
  materializerAtStep: fc.nat({ max: 60 }),
  faults: fc.array(fault, { maxLength: 2 }),
  choices: fc.oneof(sparse, dense),
});

const silence = fc.record({ atStep: fc.nat({ max: LAST_STEP }), lasts: fc.nat(20), more: fc.nat(20) });

/** The Consumer takes nothing for a while, once or twice, which may be longer than anybody waits. */
export const scriptWithSilences: fc.Arbitrary<Script> = fc
  .tuple(anyScript, fc.array(silence, { minLength: 1, maxLength: 2 }))
  .map(([script, silences]) => ({ ...script, silences }));
