import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { WhereLanguage } from '../../src/sql/where.ts';
import { drawnPage, wherePage } from './where-page.ts';

const page = readFileSync(wherePage, 'utf8');

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

test('docs/where.md lists the operations that there are: run `npm run where-page` after a change', () => {
  expect(page).toBe(drawnPage(page));
});

const columns = ['bool', 'int4', 'text', 'date', 'timestamp', 'interval', 'uuid', 'float8', 'numeric', 'time', 'name'].map((type) => ({
  name: `a_${type}`, typeName: type, dimensions: 0,
}));

test.each([
  'coalesce', 'greatest', 'least', 'concat', 'lower', 'upper', 'like', 'notlike', 'ilike', 'notilike',
])('%s, which docs/where.md names, is a function on text', (name) => {
  const where = language.parse(`${name}(a_text, 'x')`.replace(/(lower|upper)\((\w+), 'x'/, '$1($2'), {}, columns);
  const isCondition = name.endsWith('like');
  expect({ named: page.includes(`\`${name}\``), error: 'error' in where ? where.error : undefined }).toEqual({
    named: true,
    error: isCondition ? undefined : 'WHERE clause must return a boolean',
  });
});

test.each(['array_cat', 'array_append', 'array_prepend', 'array_ndims', 'array_length', 'cardinality'])(
  '%s, which docs/where.md names, is a function on arrays', (name) => {
    const forms = [`${name}(ARRAY[1])`, `${name}(ARRAY[1], ARRAY[1])`, `${name}(ARRAY[1], 1)`, `${name}(1, ARRAY[1])`];
    const taken = forms.filter((form) => 'canonical' in language.parse(`${form} IS NOT NULL`, {}, columns));
    expect({ named: page.includes(`\`${name}\``), taken: taken.length > 0 }).toEqual({ named: true, taken: true });
  });

test.each(['=', '<>', '!=', '<', '>', '<=', '>=', '@>', '<@', '&&', '||', '~~', '!~~', '~~*', '!~~*'])(
  '%s, which docs/where.md names, is an operator', (sign) => {
    const forms = [`a_text ${sign} 'x' IS NULL`, `ARRAY[a_text] ${sign} ARRAY['x'] IS NULL`];
    const taken = forms.filter((form) => 'canonical' in language.parse(`(${form})`, {}, columns));
    expect({ named: page.includes(`\`${sign}\``), taken: taken.length > 0 }).toEqual({ named: true, taken: true });
  });
