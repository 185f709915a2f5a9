/** What is read without a schema is what the schema makes of it, and it reads what clients send. */
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { CHARACTERS_MAX, plainFields } from '../../src/api/plain-parameters.ts';
import { schemaFields } from '../../src/api/shape-parameters.ts';

const NAMES = [
  'table', 'where', 'handle', 'cursor', 'offset', 'columns', 'queryable_columns', 'replica', 'log', 'move_outs', 'live', 'live_sse',
  'experimental_live_sse', 'experimental_compaction', 'params', 'subset__limit', 'constructor', '__proto__', 'unknown',
];
const TEXTS = [
  '', ' ', 'items', 'public.items', '-1', 'now', '12_0', '0_inf', 'true', 'false', '1', '0', 'True', 'default', 'full', 'changes_only',
  'events', 'deletes', 'id', 'id,"Va""l"', 'id,', '"', "value = 'a'", '\0', 'a\0b',
  'x'.repeat(CHARACTERS_MAX), 'x'.repeat(CHARACTERS_MAX + 1),
];
const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 12 }));
const value = fc.oneof(
  { weight: 8, arbitrary: text },
  fc.dictionary(fc.constantFrom('1', '2', 'toString', '__proto__'), fc.oneof({ weight: 8, arbitrary: text }, fc.constant(1)), {
    noNullPrototype: false,
  }),
  fc.constantFrom<unknown>(null, undefined, 1, 0, true, false, ['id'], [], {}),
);
const parameters = fc.dictionary(fc.constantFrom(...NAMES), value, { noNullPrototype: false });

test('whatever is given, the schema says the same wherever it is not asked', () => {
  let read = 0;
  const saysTheSame = fc.property(parameters, fc.option(text, { nil: undefined }), (some, offset) => {
    const raw = offset === undefined ? some : { ...some, offset };
    const plain = plainFields(raw);
    if (plain !== undefined) read += 1;
    return plain === undefined || isDeepStrictEqual(plain, schemaFields(raw));
  });
  const { counterexample } = fc.check(saysTheSame, { numRuns: 3_000 });

  expect({ counterexample, isReadOften: read > 300 }).toEqual({ counterexample: null, isReadOften: true });
});

test('what clients send needs no schema', () => {
  const common = { table: 'public.items', handle: '1-2', offset: '12_0', cursor: '7' };
  const reads = [
    { table: 'items', offset: '-1' },
    { ...common, live: 'true' },
    { ...common, live: 'true', live_sse: 'true', log: 'full' },
    { ...common, columns: 'id,"Value"', where: 'id = $1', params: { 1: '7' }, replica: 'full', secret: 'x' },
  ];

  expect(reads.map((read) => plainFields(read) ?? 'left to the schema')).toEqual(reads.map(schemaFields));
});
