/** Older versions of Postgres: what means something else to one of them has its error there, or is refused. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { WhereColumn, WhereLanguage } from '../../src/sql/where.ts';
import { openJudge, type Judge } from '../support/expression-judge.ts';
import { createDatabaseOn, type TestDatabase } from '../support/postgres/postgres.ts';
import { EMBEDDED, startVersion, VERSIONS, type VersionServer } from '../support/postgres/versions.ts';
import { typedExpressions } from '../support/typed-expressions.ts';

const EXPRESSIONS = 300;
const POWERS = 'powers of numeric have other digits in Postgres 15 than in newer versions, and are not supported';
const COLUMNS: readonly WhereColumn[] = [
  ['price', 'numeric'], ['at', 'timestamp'], ['span', 'interval'], ['title', 'text'],
].map(([name = '', typeName = '']) => ({ name, typeName, dimensions: 0 }));

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

test.each([
  ['price ^ 2 > 4', 15, 16, `At location 6: ${POWERS}`],
  ['power(price, 2) > 4', 15, 16, `At location 0: ${POWERS}`],
  ["title::interval > '1 day'", 14, 15, 'At location 5: unknown cast from type text to type interval'],
])('%s is refused before it means what it does', (text, older, newer, error) => {
  const answers = [older, newer].map((version) => language.parse(text, {}, COLUMNS, undefined, { version }));
  expect(answers).toMatchObject([{ error, field: 'where' }, { columns: [expect.any(String)] }]);
});

test('an interval that would be infinite is an error before there were any', () => {
  const [older, newer] = [16, 17].map((version) => language.parse("at - '2024-01-01' > '1 day'", {}, COLUMNS, undefined, { version }));
  const evaluated = (where: typeof older) => (where !== undefined && 'evaluate' in where ? where.evaluate(() => 'infinity') : undefined);
  expect(() => evaluated(older)).toThrow('interval out of range');
  expect(evaluated(newer)).toBe(true);
});

describe.each(VERSIONS.filter((version) => version !== EMBEDDED))('Postgres %s', (version) => {
  let server: VersionServer;
  let database: TestDatabase;
  let judge: Judge;

  beforeAll(async () => {
    server = await startVersion(version);
    database = await createDatabaseOn(server.url);
    judge = await openJudge(database);
  });

  afterAll(async () => {
    await database.drop();
    await server.stop();
  });

  test('gives an expression the value that it has here, or both have an error', async () => {
    const property = fc.asyncProperty(typedExpressions, async (expression) => {
      expect((await judge.judge(expression)).mismatches).toEqual([]);
    });
    await fc.assert(property, { numRuns: EXPRESSIONS, seed: 1 });
  });
});
