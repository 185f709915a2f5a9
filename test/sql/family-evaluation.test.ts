/** A member of a family is asked about a row without a tree of its own: it takes the rows that it takes when it is parsed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { partsOf } from '../../src/sql/syntax/text-constants.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { ColumnText, Where, WhereColumn } from '../../src/sql/where.ts';

const language = await loadWhereLanguage();
const TYPES = ['int2', 'int4', 'int8', 'text', 'varchar', 'uuid'] as const;
type Type = typeof TYPES[number];
const COLUMNS: readonly WhereColumn[] = TYPES.map((typeName) => ({ name: `a_${typeName}`, typeName, dimensions: 0 }));

const integerOf = (bits: bigint) => fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.bigInt({ min: -(2n ** bits), max: 2n ** bits - 1n }));
const words = fc.oneof(fc.constantFrom('a', 'A', 'b', ' a', 'a ', '5'), fc.stringMatching(/^[ -&(-~]{1,4}$/));
const uuids = fc.oneof(fc.constant('00000000-0000-4000-8000-000000000001'), fc.uuid());
/** As Postgres writes what a row has. */
const IN_ROWS: Readonly<Record<Type, fc.Arbitrary<string>>> = {
  int2: integerOf(15n).map(String), int4: integerOf(31n).map(String), int8: integerOf(63n).map(String),
  text: fc.oneof(words, fc.string({ unit: 'grapheme' })), varchar: words, uuid: uuids,
};
const rows = fc.array(fc.tuple(...TYPES.map((type) => fc.option(IN_ROWS[type], { freq: 8 }))), { minLength: 1, maxLength: 5 });

/** Of one kind, as they stand in a filter. */
const CONSTANTS = {
  small: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2_147_483_647 })).map(String),
  large: fc.bigInt({ min: 2_147_483_648n, max: 10n ** 18n - 1n }).map(String),
  words: words.map((text) => `'${text}'`),
  uuids: uuids.map((text) => `'{${text.toUpperCase()}}'`),
};
const numbers = fc.tuple(fc.constantFrom('', '-', '- -'), fc.constantFrom(CONSTANTS.small, CONSTANTS.large));
const constantsOf = (type: Type): fc.Arbitrary<readonly [string, fc.Arbitrary<string>]> => {
  if (type === 'uuid') return fc.constant(['', CONSTANTS.uuids]);
  return type === 'text' || type === 'varchar' ? fc.constant(['', CONSTANTS.words]) : numbers;
};

/** A comparison with one constant, and with another. */
const pairs = fc.tuple(fc.constantFrom(...TYPES), fc.constantFrom('=', '<>', '<', '>', '<=', '>='), fc.boolean())
  .chain(([type, operator, isLeft]) => constantsOf(type).chain(([sign, constants]) => fc.tuple(constants, constants).map((both) => {
    return both.map((constant) => {
      return isLeft ? `a_${type} ${operator} ${sign}${constant}` : `${sign}${constant} ${operator} a_${type}`;
    });
  })));

function parsed(text: string): Where {
  const where = language.parse(text, {}, COLUMNS);
  invariant(!('error' in where), `a filter of this test is accepted: ${text}`);
  return where;
}

/** Undefined for one that is parsed by itself. */
function membersOf(texts: readonly string[]): readonly (Where | undefined)[] {
  const [template = ''] = texts.flatMap((text) => partsOf(text)?.template ?? []);
  const family = language.family(template, COLUMNS);
  return texts.map((text) => family?.member(partsOf(text)?.constants ?? [], () => parsed(text)));
}

test('any comparisons, constants and rows: a member takes what its whole takes, though another was asked before', () => {
  let asked = 0;
  fc.assert(fc.property(fc.array(pairs, { minLength: 1, maxLength: 3 }), rows, (parts, values) => {
    const texts = [0, 1].map((index) => parts.map((pair) => pair[index]).join(' AND '));
    const members = membersOf(texts);
    const wholes = texts.map((text, index) => members[index] && parsed(text));
    const truths = (wheres: readonly (Where | undefined)[]) => values.map((row) => {
      const text: ColumnText = (column) => row[COLUMNS.findIndex(({ name }) => name === column)] ?? null;
      return wheres.map((where) => where?.evaluate(text));
    });
    asked += members.filter((member) => member !== undefined).length;

    expect(truths(members)).toEqual(truths(wholes));
  }), { numRuns: 1_000 });
  expect(asked).toBeGreaterThan(1_500);
});
