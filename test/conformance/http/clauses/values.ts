/** Sections 4 and 7, of values: what each type of Postgres is on the wire, in first rows and in the log, and in the schema. */
import { telling, type Clause } from '../clause.ts';
import { changesIn, Reader, type Message } from '../reader.ts';

/** SQL of a value, and its text. */
type Sample = readonly [type: string, sql: string, text: string | null];

const SAMPLES: readonly Sample[] = [
  ['smallint', '-32768', '-32768'],
  ['bigint', '9223372036854775807', '9223372036854775807'],
  ['real', "'NaN'", 'NaN'],
  ['double precision', "'-Infinity'", '-Infinity'],
  ['double precision', '0.1::float8 + 0.2::float8', '0.30000000000000004'],
  ['numeric', "'NaN'", 'NaN'],
  ['numeric(5,2)', '1.5', '1.50'],
  ['text', String.raw`E'quo"te \\x \n \t \u00e9 🐎'`, 'quo"te \\x \n \t é 🐎'],
  ['text', "''", ''],
  ['text', 'NULL', null],
  ['varchar(3)', "'abc'", 'abc'],
  ['char(6)', "'ab'", 'ab    '],
  ['bytea', String.raw`'\x0001fffe'`, String.raw`\x0001fffe`],
  ['uuid', "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['date', "'infinity'", 'infinity'],
  ['date', "'2024-02-29'", '2024-02-29'],
  ['time', "'12:34:56.789'", '12:34:56.789'],
  ['timetz', "'12:34:56+02'", '12:34:56+02'],
  ['timestamp', "'2024-02-29 12:34:56.789'", '2024-02-29 12:34:56.789'],
  ['timestamptz', "'2024-02-29 12:34:56+02'", '2024-02-29 10:34:56+00'],
  ['interval', "'1 year 2 months 3 days 04:05:06.7'", 'P1Y2M3DT4H5M6.7S'],
  ['json', `'{"a":  [1, 2]}'`, '{"a":  [1, 2]}'],
  ['jsonb', `'{"b":  1, "a": null}'`, '{"a": null, "b": 1}'],
  ['int[]', "'{1,NULL,3}'", '{1,NULL,3}'],
  ['int[]', "'{{1,2},{3,4}}'", '{{1,2},{3,4}}'],
  ['boolean[]', "'{true,false}'", '{t,f}'],
  ['text[]', String.raw`ARRAY['a "b"', 'c\d', 'e,f', '']`, String.raw`{"a \"b\"","c\\d","e,f",""}`],
  ['int4range', "'[1,5]'", '[1,6)'],
  ['inet', "'10.0.0.1/8'", '10.0.0.1/8'],
  ['bit(5)', "B'10101'", '10101'],
  ['point', "'(1,2.5)'", '(1,2.5)'],
  ['of_values.mood', "'happy'", 'happy'],
  ['of_values.positive', '7', '7'],
  ['of_values.pair', "'(1.1,2.2)'", '(1.1,2.2)'],
  ['of_values.pair[]', `'{"(1.1,2.2)","(3.3,4.4)"}'`, '{"(1.1,2.2)","(3.3,4.4)"}'],
  ['date', "'-infinity'", '-infinity'],
  ['date', "'4713-01-01 BC'", '4713-01-01 BC'],
  ['timestamp', "'-infinity'", '-infinity'],
  ['timestamp', "'294276-12-31 23:59:59.999999'", '294276-12-31 23:59:59.999999'],
  ['timestamptz', "'-infinity'", '-infinity'],
  ['timestamptz', "'4714-11-24 00:00:00+00 BC'", '4714-11-24 00:00:00+00 BC'],
  ['timestamptz[]', `'{infinity,NULL,"2024-02-29 12:34:56.5+02"}'`, '{infinity,NULL,"2024-02-29 10:34:56.5+00"}'],
  ['tstzrange', "'[-infinity,infinity]'", '[-infinity,infinity]'],
  ['time', "'24:00:00'", '24:00:00'],
  ['timetz', "'12:00:00.5-03:30'", '12:00:00.5-03:30'],
  ['interval', "'-1 year -2 mons +3 days -04:05:06.000007'", 'P-1Y-2M3DT-4H-5M-6.000007S'],
  ['numeric', "'-Infinity'", '-Infinity'],
  ['numeric', '123456789012345678901234567890.12300', '123456789012345678901234567890.12300'],
  ['double precision', "'-0'", '-0'],
  ['double precision', '1e-320', '1e-320'],
  ['json', `'{"b":1, "b" : [1e400, "\\u00e9"]}'`, '{"b":1, "b" : [1e400, "\\u00e9"]}'],
  ['jsonb', "'null'", 'null'],
  ['int[]', "'[0:1]={1,2}'", '[0:1]={1,2}'],
  ['int[]', "'{}'", '{}'],
  ['bytea[]', String.raw`ARRAY['\x00'::bytea, '']`, String.raw`{"\\x00","\\x"}`],
  ['text[]', `'{NULL,"NULL","null"}'`, '{NULL,"NULL","null"}'],
  ['int4multirange', "'{[1,2),[5,7)}'", '{[1,2),[5,7)}'],
];

const TYPES = `
  CREATE SCHEMA of_values; CREATE TYPE of_values.mood AS ENUM ('sad', 'happy'); CREATE DOMAIN of_values.positive AS int CHECK (VALUE > 0);
  CREATE TYPE of_values.pair AS (a float8, b float8)`;

/** Type and what the schema says of it. */
const DESCRIBED: readonly (readonly [type: string, told: Readonly<Record<string, unknown>>])[] = [
  ['smallint', { type: 'int2' }],
  ['integer', { type: 'int4' }],
  ['serial', { type: 'int4', not_null: true }],
  ['varchar(123)', { type: 'varchar', max_length: 123 }],
  ['varchar(123)[]', { type: 'varchar', max_length: 123, dims: 1 }],
  ['char', { type: 'bpchar', length: 1 }],
  ['bpchar', { type: 'bpchar' }],
  ['bpchar(9)[]', { type: 'bpchar', length: 9, dims: 1 }],
  ['time(3)', { type: 'time', precision: 3 }],
  ['timetz(3)', { type: 'timetz', precision: 3 }],
  ['timestamp(3)', { type: 'timestamp', precision: 3 }],
  ['timestamptz(3)', { type: 'timestamptz', precision: 3 }],
  ['timestamp(0)', { type: 'timestamp', type_mod: 0 }],
  ['interval', { type: 'interval' }],
  ['interval(4)', { type: 'interval', precision: 4 }],
  ...['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND', 'YEAR TO MONTH', 'DAY TO HOUR', 'DAY TO MINUTE', 'DAY TO SECOND',
    'HOUR TO MINUTE', 'HOUR TO SECOND', 'MINUTE TO SECOND',
  ].map((fields) => [`interval ${fields}`, { type: 'interval', fields }] as const),
  ['numeric', { type: 'numeric' }],
  ['numeric(5,3)', { type: 'numeric', precision: 5, scale: 3 }],
  ['numeric(5)', { type: 'numeric', precision: 5, scale: 0 }],
  ['bit', { type: 'bit', length: 1 }],
  ['bit(5)', { type: 'bit', length: 5 }],
  ['varbit(5)', { type: 'varbit', length: 5 }],
  ...['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'inet', 'cidr', 'macaddr', 'macaddr8', 'tsvector', 'tsquery', 'uuid',
    'xml', 'json', 'jsonb', 'int4range', 'int8range', 'numrange', 'tsrange', 'tstzrange', 'daterange', 'money', 'bytea', 'date', 'oid',
    'name', 'float4', 'float8', 'bool', 'text',
  ].map((type) => [type, { type }] as const),
  ...['int2vector', 'oidvector'].map((type) => [type, { type }] as const), // Vectors are no arrays: `1 2` has no braces.
  ['of_values.mood', { type: 'mood' }],
  ['of_values.positive', { type: 'positive' }],
  ['of_values.pair', { type: 'pair' }],
];

const columnsOf = (types: readonly string[]): string =>
  ['id int PRIMARY KEY', ...types.map((type, index) => `c${index} ${type}`)].join(', ');
const named = (values: readonly unknown[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(values.map((value, index) => [`c${index}`, value]));

const VALUES_OF_SAMPLES = named(SAMPLES.map(([, , text]) => text));
const withoutNulls = (values: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

export const VALUES: readonly Clause[] = [
  {
    clause: '4.12',
    cases: [
      telling(
        'a value of each type, among the first rows, in the log, in a subset, and as what it was',
        async (served) => {
          await served.database.query(TYPES);
          const reader = await Reader.of(served, columnsOf(SAMPLES.map(([type]) => type)), '&replica=full');
          const insert = (id: number): string => `INSERT INTO @ VALUES (${[id, ...SAMPLES.map(([, sql]) => sql)].join(', ')})`;
          await reader.write(insert(1));
          const first = await reader.read();
          await reader.catchUp();
          const inserted = await reader.live(insert(2));
          const { body } = await reader.read('&subset__where=id = 1');
          const nothing = SAMPLES.map((_, index) => `c${index} = NULL`).join(', ');
          const updated = await reader.live(`UPDATE @ SET ${nothing} WHERE id = 2`);
          const changes = [...[first, inserted].flatMap(changesIn), ...(body as { data: readonly Message[] }).data];
          return [...changes.map(({ value }) => value), ...changesIn(updated).map(({ old_value: before }) => ({ ...before, id: '2' }))];
        },
        [...['1', '2', '1'].map((id) => ({ id, ...VALUES_OF_SAMPLES })), { id: '2', ...withoutNulls(VALUES_OF_SAMPLES) }],
      ),
      telling(
        'a truth, among the first rows and in the log',
        async (served) => {
          const reader = await Reader.of(served, 'id int PRIMARY KEY, value bool');
          await reader.write('INSERT INTO @ VALUES (1, true), (2, false)');
          const first = await reader.read();
          await reader.catchUp();
          return [first, await reader.live('UPDATE @ SET value = NOT value')].flatMap(changesIn).map(({ value }) => value?.['value']);
        },
        ['true', 'false', 'f', 't'],
      ),
      telling(
        'columns whose names have quotes',
        async (served) => {
          const reader = await Reader.of(served, `id int PRIMARY KEY, "a ""b"" 'c'" text`);
          await reader.write("INSERT INTO @ VALUES (1, 'x')");
          return changesIn(await reader.read()).map(({ value }) => value);
        },
        [{ id: '1', [`a "b" 'c'`]: 'x' }],
      ),
    ],
  },
  {
    clause: '4.13',
    cases: [
      telling(
        'a key whose columns stand in another order, one that is padded, and a table with spaces, in first rows and log',
        async (served) => {
          const keys: unknown[] = [];
          for (const [columns, values] of [
            ['third text, second text, first text, PRIMARY KEY (first, second, third)', "('c', 'b', 'a')"],
            ['id char(6) PRIMARY KEY', "('ab')"],
            ['state bool PRIMARY KEY', '(true)'],
          ]) {
            const reader = await Reader.of(served, columns);
            await reader.write(`INSERT INTO @ VALUES ${values}`);
            const first = await reader.read();
            await reader.catchUp();
            const live = await reader.live('DELETE FROM @');
            keys.push([first, live].flatMap(changesIn).map(({ key }) => key?.replace(reader.table, 't')));
          }
          return keys;
        },
        ['"public"."t"/"a"/"b"/"c"', '"public"."t"/"ab    "', '"public"."t"/"t"'].map((key) => [key, key]),
      ),
      telling(
        'a table with spaces in a schema of its own',
        async ({ url, database }) => {
          await database.query(`
            CREATE SCHEMA electric_test; CREATE TABLE electric_test."issues for a_0 b" (id int PRIMARY KEY);
            INSERT INTO electric_test."issues for a_0 b" VALUES (1)`);
          const response = await fetch(`${url}/v1/shape?table=electric_test."issues for a_0 b"&offset=-1`);
          return ((await response.json()) as { key?: string }[])[0]?.key;
        },
        '"electric_test"."issues for a_0 b"/"1"',
      ),
    ],
  },
  {
    clause: '7.6',
    cases: [
      telling(
        'columns of every type',
        async (served) => {
          const { headers } = await (await Reader.of(served, columnsOf(DESCRIBED.map(([type]) => type)))).read();
          return JSON.parse(headers.get('electric-schema') ?? '');
        },
        { id: { type: 'int4', pk_index: 0, not_null: true }, ...named(DESCRIBED.map(([, told]) => told)) },
      ),
      telling(
        'a column that may be null from now on, to who begins anew when the shape ended',
        async (served) => {
          const reader = await Reader.following(served, 'id int PRIMARY KEY, value text NOT NULL');
          let answer = await reader.live('ALTER TABLE @ ALTER value DROP NOT NULL');
          while (answer.status === 200) answer = await reader.read('&live=true');
          reader.offset = '-1';
          const schema = (await reader.read()).headers.get('electric-schema');
          return [answer.status, JSON.parse(schema ?? '')];
        },
        [409, { id: { type: 'int4', pk_index: 0, not_null: true }, value: { type: 'text' } }],
      ),
    ],
  },
];
