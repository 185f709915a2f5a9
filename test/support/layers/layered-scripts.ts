/** LayeredScripts: at random, what happens to a world with two layers of shapes from outside, and in which order signals are delivered. */
import fc from 'fast-check';
import type { Name } from '../../../src/otp/process.ts';
import type { Wish } from '../hand-over/model-database.ts';
import { OUTER_SHAPES, SHAPES } from './layered-shapes.ts';

/** Steps are deliveries; when nothing is left to deliver, the next happening comes at once. */
export interface Script {
  /** When somebody asks for which shapes: indexes of `SHAPES`. */
  readonly asks: readonly { readonly atStep: number; readonly shape: number }[];
  /** Likewise when a client has them deleted. */
  readonly deletions: readonly { readonly atStep: number; readonly shape: number }[];
  /** At the end all are asked for once more; or the outer ones are deleted, and nobody asks again. */
  readonly ending: 'asking' | 'leaving';
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

const choices = fc.oneof(sparse, dense);

/** What is written, and what becomes of it in two outer shapes at the most. */
export const anyScript: fc.Arbitrary<Script> = fc.record({
  asks: fc.uniqueArray(fc.nat({ max: OUTER_SHAPES.length - 1 }), { minLength: 1, maxLength: 2 }).chain((asked) =>
    fc.tuple(...asked.map((shape) => fc.record({ shape: fc.constant(shape), atStep: fc.nat({ max: 60 }) }))),
  ),
  deletions: fc.constant([]),
  ending: fc.constant('asking'),
  transactions: transactions({ minLength: 2, maxLength: 12, size: 'max' }),
  faults: fc.array(fault, { maxLength: 3 }),
  silences: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(silence, { minLength: 1, maxLength: 2 }) },
  ),
  choices,
});

/** Any of the inner shapes is asked for too, before or behind those that depend on it. */
const wish = fc.record({ atStep: fc.nat({ max: LAST_STEP }), shape: fc.nat({ max: SHAPES.length - 1 }) });

/** Whoever makes shapes, or stands between two of them, is struck. */
const strikeAtLives = fc.record({
  atStep: fc.nat({ max: LAST_STEP }),
  victim: fc.constantFrom<Victim>('inner', 'inner', 'materializer', 'materializer', 'outer', '@shape-cache'),
  how: fc.constantFrom<Fault>('drain', 'shutdown', 'kill', 'crash', 'delete'),
});

/** Shapes that come and go, with little that is written. */
export const anyLives: fc.Arbitrary<Script> = fc.record({
  asks: fc.array(wish, { minLength: 1, maxLength: 5, size: 'max' }),
  deletions: fc.array(wish, { maxLength: 2 }),
  ending: fc.constantFrom('asking', 'leaving'),
  transactions: transactions({ maxLength: 4 }),
  faults: fc.array(strikeAtLives, { maxLength: 3 }),
  silences: fc.constant([]),
  choices,
});

function transactions(constraints: fc.ArrayConstraints): fc.Arbitrary<ScriptedTransaction[]> {
  return fc.array(transaction, constraints).map((made) => [...made].sort((left, right) => left.atStep - right.atStep));
}
