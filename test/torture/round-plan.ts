/** What a round brings, by its seed alone: writes, faults and the moments at which they meet. */
import fc from 'fast-check';
import { anyShape, type OracleShape } from '../oracle/any-shape.ts';
import { anyTransaction, type OracleTransaction } from '../oracle/any-transaction.ts';
import { drawn } from '../oracle/drawn.ts';
import { TABLES, type TableName } from '../oracle/schema.ts';

export interface PlannedFault {
  /** The kind comes from the deck: this is how it befalls. */
  readonly seed: number;
  readonly table: TableName;
  /** Behind the first half of the writes. */
  readonly afterMs: number;
}

export interface RoundPlan {
  readonly transactions: readonly OracleTransaction[];
  /** What the second writer does over and over. */
  readonly meddling: readonly OracleTransaction[];
  readonly faults: readonly PlannedFault[];
  /** One that comes while they last. */
  readonly newcomer: OracleShape;
}

const TOGETHER_WITHIN_MS = 500;
const ROWS_MAX = 700;
const DRAWS_PER_SEED = 10_000;

const anyFault: fc.Arbitrary<PlannedFault> = fc.record({
  seed: fc.nat(),
  table: fc.constantFrom<TableName>('parents', 'parents', ...TABLES),
  afterMs: fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(TOGETHER_WITHIN_MS) }),
});

/** Rows come, change and mostly go in one transaction: the shapes take it in pieces, and bring some of it to the disk on the way. */
const largeTransaction: fc.Arbitrary<OracleTransaction> = fc.integer({ min: 100, max: ROWS_MAX }).map((rows) => {
  return {
    statements: [
      "DELETE FROM children WHERE id LIKE 'x%'",
      `INSERT INTO children SELECT 'x' || i, 'p' || i % 8, 'p' || i % 5, 'v' || i % 3, i % 10 FROM generate_series(1, ${rows}) AS i`,
      "UPDATE children SET value = 'v2', rank = (rank + 1) % 10 WHERE id LIKE 'x%'",
      "DELETE FROM children WHERE id LIKE 'x%' AND id NOT LIKE 'x%77'",
    ],
    end: 'COMMIT' as const,
  };
});
const someTransaction = fc.oneof({ weight: 90, arbitrary: anyTransaction }, { weight: 1, arbitrary: largeTransaction });
const shapeWithSubquery = anyShape(true);
const anyRound: fc.Arbitrary<RoundPlan> = fc.record({
  transactions: fc.array(someTransaction, { minLength: 8, maxLength: 24 }),
  meddling: fc.array(anyTransaction, { minLength: 5, maxLength: 12 }),
  faults: fc.oneof(
    { weight: 3, arbitrary: fc.array(anyFault, { minLength: 1, maxLength: 1 }) },
    { weight: 5, arbitrary: fc.array(anyFault, { minLength: 2, maxLength: 2 }) },
    { weight: 2, arbitrary: fc.array(anyFault, { minLength: 3, maxLength: 3 }) },
  ),
  newcomer: shapeWithSubquery,
});

export function planOf(seed: number, round: number): RoundPlan {
  return drawn(anyRound, seed * DRAWS_PER_SEED + round);
}

/** The shapes that a world begins with. */
export function firstShapes(seed: number, count: number): readonly OracleShape[] {
  return drawn(fc.array(shapeWithSubquery, { minLength: count, maxLength: count }), seed * DRAWS_PER_SEED + DRAWS_PER_SEED - 1);
}
