/**
 * LayeredRun: one life of a world with two layers of shapes, from a script. The script says what happens from outside and when, and its
 * choices say which signal is delivered next: the same script gives the same run.
 */
import fc from 'fast-check';
import { consumerOf, materializerOf } from '../../../src/actors/shape-processes.ts';
import { SILENCE_MS } from '../../../src/actors/collector/delivery-chart.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';
import type { Address, ExitReason, Name } from '../../../src/otp/process.ts';
import type { Wish } from '../hand-over/model-database.ts';
import { OUTER_SHAPES } from './layered-shapes.ts';
import { LayeredWorld, type LayeredOptions } from './layered-world.ts';

/** Steps are deliveries; when nothing is left to deliver, the next happening comes at once. */
export interface Script {
  /** Which shapes, as indexes of `OUTER_SHAPES`, and when somebody asks for each. All are asked for once more at the end. */
  readonly asks: readonly { readonly atStep: number; readonly shape: number }[];
  readonly transactions: readonly ScriptedTransaction[];
  readonly faults: readonly { readonly atStep: number; readonly victim: Victim; readonly how: Fault }[];
  /** For how many steps a Consumer takes nothing, and how many more it does so after everybody's patience is over. */
  readonly silences: readonly { readonly atStep: number; readonly victim: Victim; readonly lasts: number; readonly more: number }[];
  /** Indexes among the heads of the channels, oldest first; 0 when they have run out. */
  readonly choices: readonly number[];
}

export interface ScriptedTransaction {
  readonly atStep: number;
  readonly lasts: number;
  /** How long, once its commit is logged, no snapshot sees it. */
  readonly hides: number;
  readonly wishes: readonly Wish[];
}

/** Of shapes, the one that was asked for first: an inner one, an outer one, or what keeps the values between. */
export type Victim = 'inner' | 'outer' | 'otherOuter' | 'materializer' | Name;
/** `crash` is an event that no state handles; `drain` and `shutdown` are good order; `delete` is a client's wish. */
export type Fault = 'kill' | 'crash' | 'shutdown' | 'delete' | 'drain';

export interface Outcome {
  readonly world: LayeredWorld;
  readonly asked: readonly ShapeDefinition[];
  /** False when the world did not come to rest. */
  readonly isQuiet: boolean;
  /** Shapes that somebody ended by force or by a wish, or who lost what their values come from by force. */
  readonly struck: ReadonlySet<Handle>;
  /** Somebody ended by force who takes others along. */
  readonly hasStruckAll: boolean;
  /** All that serves shapes was made anew. */
  readonly hasRestartedAll: boolean;
}

export interface RunOptions extends LayeredOptions {
  /** Looks at the world before each delivery. */
  readonly onStep?: (world: LayeredWorld) => void;
  readonly isAtRest: (world: LayeredWorld) => boolean;
}

const STEPS_MAX = 20_000;
/** At rest time passes: who asks again after a while, does so. */
const PAUSES_MAX = 60;
const PAUSE_MS = 1_000;

interface Happening {
  readonly atStep: number;
  readonly happen: () => void;
}

/** @returns the world when nothing is left to happen. */
export async function run(script: Script, options: RunOptions): Promise<Outcome> {
  let next = 0;
  const world = new LayeredWorld((candidates) => (script.choices[next++] ?? 0) % candidates.length, options);
  const strikes = new Strikes(world, script);
  await world.begin();
  const happenings = happeningsOf(script, world, strikes);
  let pauses = 0;
  let isQuiet = false;
  for (let step = 0; step < STEPS_MAX && !isQuiet; step += 1) {
    while ((happenings[0]?.atStep ?? Number.POSITIVE_INFINITY) <= step) happenings.shift()?.happen();
    await world.settle();
    await world.look();
    options.onStep?.(world);
    if (world.runtime.step()) continue;
    const early = happenings.shift();
    if (early !== undefined) early.happen();
    else if (options.isAtRest(world)) isQuiet = true;
    else if (pauses++ < PAUSES_MAX) world.clock.advance(PAUSE_MS);
    else break;
  }
  const asked = askedOf(script);
  for (const [handle, ledger] of world.ledgers) {
    const log = world.storage.shapes.get(handle);
    if (log !== undefined) await ledger.compare(log);
  }
  return { world, asked, isQuiet, struck: strikes.struck, hasStruckAll: strikes.hasStruckAll, hasRestartedAll: strikes.hasRestartedAll };
}

function askedOf({ asks }: Script): readonly ShapeDefinition[] {
  return [...new Set(asks.map(({ shape }) => shape))].flatMap((shape) => OUTER_SHAPES[shape] ?? []);
}

function happeningsOf(script: Script, world: LayeredWorld, strikes: Strikes): Happening[] {
  const { asks, transactions, faults, silences } = script;
  const { runtime } = world;
  const happenings = [
    ...asks.flatMap(({ atStep, shape }) => {
      const definition = OUTER_SHAPES[shape];
      return definition === undefined ? [] : [{ atStep, happen: () => world.ask(definition) }];
    }),
    ...transactions.flatMap(({ atStep, lasts, hides, wishes }, index) => [
      { atStep, happen: () => runtime.send('@writer', { type: 'begin', index }) },
      { atStep: atStep + lasts, happen: () => runtime.send('@writer', { type: 'commit', index, wishes }) },
      { atStep: atStep + lasts + hides, happen: () => runtime.send('@writer', { type: 'show', index }) },
    ]),
    ...silences.flatMap(({ atStep, victim, lasts, more }) => {
      let silent: Address | undefined;
      return [
        { atStep, happen: () => (silent = strikes.suspend(victim)) },
        { atStep: atStep + lasts, happen: () => world.clock.advance(SILENCE_MS) },
        { atStep: atStep + lasts + more, happen: () => silent !== undefined && runtime.resume(silent) },
      ];
    }),
    ...faults.map(({ atStep, victim, how }) => ({ atStep, happen: () => strikes.strike(victim, how) })),
  ].sort((left, right) => left.atStep - right.atStep);
  // One that was refused, since the shape was just going, is repeated: so at rest all are there.
  const askAgain = askedOf(script).map((definition) => ({ atStep: Number.POSITIVE_INFINITY, happen: () => world.ask(definition) }));
  return [...happenings, ...askAgain];
}

const EXITS: Readonly<Record<Exclude<Fault, 'crash' | 'drain'>, ExitReason | 'kill'>> = {
  kill: 'kill',
  shutdown: 'shutdown',
  delete: { shutdown: { delete: 'test' } },
};
/** What serves shapes is made anew with them; and whoever ends them by force may end what hangs on them by force. */
const MANY: readonly Victim[] = ['@consumers', '@shape-cache', '@shape-log-collector', '@catch-up-collector'];

/** What is done to processes, and to which shapes that may be the end. */
class Strikes {
  readonly struck = new Set<Handle>();
  hasStruckAll = false;
  hasRestartedAll = false;
  private readonly asked: readonly ShapeDefinition[];

  constructor(
    private readonly world: LayeredWorld,
    script: Script,
  ) {
    this.asked = askedOf(script);
  }

  strike(victim: Victim, how: Fault): void {
    const address = this.addressOf(victim);
    if (address === undefined) return;
    this.noteStruck(victim, how);
    const { runtime } = this.world;
    if (how === 'crash') runtime.send(address, { type: 'poison' });
    else if (how !== 'drain') runtime.exit(address, EXITS[how]);
    else if (victim === 'inner' || victim === 'outer' || victim === 'otherOuter') runtime.send(address, { type: 'stop', cause: 'drain' });
  }

  suspend(victim: Victim): Address | undefined {
    const address = this.addressOf(victim);
    const pid = address?.startsWith('@') === true ? this.world.runtime.processInfo(address)?.pid : address;
    if (pid !== undefined) this.world.runtime.suspend(pid);
    return pid;
  }

  private noteStruck(victim: Victim, how: Fault): void {
    if (MANY.includes(victim)) this.hasRestartedAll = true;
    if (how === 'drain' || how === 'shutdown') return;
    if (MANY.includes(victim)) this.hasStruckAll = true;
    const handle = this.handleOf(victim);
    if (handle === undefined) return;
    if (victim !== 'materializer') this.struck.add(handle);
    for (const log of this.world.storage.shapes.all()) if (log.dependsOn.includes(handle)) this.struck.add(log.handle);
  }

  private addressOf(victim: Victim): Address | undefined {
    if (victim.startsWith('@')) return victim as Name;
    const handle = this.handleOf(victim);
    if (handle === undefined) return undefined;
    return victim === 'materializer' ? materializerOf(handle, 'id') : consumerOf(handle);
  }

  private handleOf(victim: Victim): Handle | undefined {
    const [first, second] = this.asked;
    const definition = victim === 'outer' ? first : victim === 'otherOuter' ? second : first?.dependencies?.[0]?.shape;
    return victim.startsWith('@') || definition === undefined ? undefined : this.world.handleOf(definition);
  }
}

/** About when a world without faults has come to rest. */
const LAST_STEP = 300;

const parentWish: fc.Arbitrary<Wish> = fc.record({
  table: fc.constant('parents'),
  row: fc.nat({ max: 2 }),
  value: fc.constantFrom('1', '1', '2', '0', null),
  remove: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const childWish: fc.Arbitrary<Wish> = fc.record({
  table: fc.constant('children'),
  row: fc.nat({ max: 4 }),
  value: fc.constantFrom('0', '1', '2', null),
  note: fc.constantFrom('a', 'b', 'c'),
  remove: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

/** A transaction on parents, on children, or on both. */
const transaction = fc.record({
  atStep: fc.nat({ max: LAST_STEP }),
  lasts: fc.nat({ max: 12 }),
  hides: fc.oneof(fc.nat({ max: 10 }), fc.nat({ max: 120 })),
  wishes: fc.oneof(
    fc.array(parentWish, { minLength: 1, maxLength: 2 }),
    fc.array(childWish, { minLength: 1, maxLength: 3 }),
    fc.array(fc.oneof(parentWish, childWish), { minLength: 2, maxLength: 4 }),
  ),
});

const shapeProcess = fc.constantFrom<Victim>('inner', 'inner', 'outer', 'outer', 'otherOuter', 'materializer');
const anyone = fc.constantFrom<Victim>(
  '@shape-log-collector', '@catch-up-collector', '@consumers', '@shape-cache', '@move-queries', '@log-writer', '@log-reader', '@splices',
  '@snapshots',
);
const fault = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      atStep: fc.nat({ max: LAST_STEP }),
      victim: shapeProcess,
      how: fc.constantFrom<Fault>('drain', 'drain', 'drain', 'shutdown', 'kill', 'crash', 'delete'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ atStep: fc.nat({ max: LAST_STEP }), victim: anyone, how: fc.constantFrom<Fault>('kill', 'shutdown') }),
  },
);

const silence = fc.record({
  atStep: fc.nat({ max: LAST_STEP }),
  victim: fc.constantFrom<Victim>('inner', 'outer', 'otherOuter', 'materializer'),
  lasts: fc.nat(20),
  more: fc.nat(40),
});

/** Any order at all. */
const dense = fc.array(fc.nat({ max: 9 }), { maxLength: 400, size: 'max' });

/** The order of sending, but for a few deliveries that overtake others: most races need no more, and these are told apart best. */
const sparse = fc
  .array(fc.record({ later: fc.nat({ max: 20 }), choice: fc.integer({ min: 1, max: 6 }) }), { maxLength: 24, size: 'max' })
  .map((overtakings) => overtakings.flatMap(({ later, choice }) => [...Array<number>(later).fill(0), choice]));

export const anyScript: fc.Arbitrary<Script> = fc.record({
  asks: fc.uniqueArray(fc.nat({ max: OUTER_SHAPES.length - 1 }), { minLength: 1, maxLength: 2 }).chain((asked) =>
    fc.tuple(...asked.map((shape) => fc.record({ shape: fc.constant(shape), atStep: fc.nat({ max: 60 }) }))),
  ),
  transactions: fc
    .array(transaction, { minLength: 2, maxLength: 12, size: 'max' })
    .map((transactions) => [...transactions].sort((left, right) => left.atStep - right.atStep)),
  faults: fc.array(fault, { maxLength: 3 }),
  silences: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(silence, { minLength: 1, maxLength: 2 }) },
  ),
  choices: fc.oneof(sparse, dense),
});
