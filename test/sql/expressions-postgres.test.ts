/** Expressions against Postgres itself: in every row each has the value that Postgres gives it, to the letter, or both have an error. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openJudge, type Judge } from '../support/expression-judge.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { typedExpressions } from '../support/typed-expressions.ts';

const EXPRESSIONS = 2000;

let database: TestDatabase;
let judge: Judge;

beforeAll(async () => {
  database = await createDatabase();
  judge = await openJudge(database);
});

afterAll(async () => {
  await database.drop();
});

test('an expression has the value that Postgres gives it, or an error where Postgres has one', async () => {
  const property = fc.asyncProperty(typedExpressions, async (expression) => {
    const { mismatches } = await judge.judge(expression);
    expect(mismatches).toEqual([]);
  });
  await fc.assert(property, { numRuns: EXPRESSIONS });
});
