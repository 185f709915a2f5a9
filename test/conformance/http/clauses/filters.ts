/** Section 3, of what `where` may say: in which words it is refused, over HTTP. The language itself is held in `test/sql`. */
import { asking, refusing, telling, type Case, type Clause } from '../clause.ts';
import { changesIn, Reader } from '../reader.ts';

const refusingFilter = (where: string, text: unknown, more = ''): Case =>
  refusing(`table=wide&offset=-1&where=${encodeURIComponent(where)}${more}`, { where: [text as string] });

const NUMBERED = Array.from({ length: 12 }, (_, index) => index + 1);

/** A table with a column that is worked out, by a service on Postgres 18. */
const GENERATED = 'id int PRIMARY KEY, price int, gross int GENERATED ALWAYS AS (price * 2) STORED';

export const FILTERS: readonly Clause[] = [
  {
    clause: '3.12',
    cases: [
      asking(
        `GET /v1/shape?table=wide&offset=-1&where=value1 IN (${NUMBERED.map((number) => `$${number}`).join(',')})` +
          NUMBERED.map((number) => `&params[${number}]=v${number}`).join(''),
        { status: 200 },
      ),
    ],
  },
  {
    clause: '3.15',
    cases: [
      refusingFilter('1 x 1', 'At location 17: syntax error at or near "x"'),
      refusingFilter('id =', 'At location 19: syntax error at end of input'),
      refusingFilter('1 + 1', 'WHERE clause must return a boolean'),
      refusingFilter('nope = 1', 'At location 0: unknown reference nope'),
      refusingFilter('$1 > 5', 'At location 0: parameter $1 was not provided'),
      refusingFilter("$1 > 5 AND $1 + 'test' > 10", 'At location 16: invalid syntax for type int4: test', '&params[1]=1'),
      refusingFilter('id = 1; DROP TABLE wide', 'unescaped ";" causing statement split'),
    ],
  },
  {
    clause: '3.16',
    cases: [
      refusing('table=wide&offset=-1', { where: ['WHERE clause is bigger than maximum size of 65536 bytes'] }, {
        body: JSON.stringify({ subset: {}, where: `value1='${'x'.repeat(70_000)}'` }),
      }),
    ],
  },
  {
    clause: '3.17',
    cases: [
      refusing('table=wide&offset=-1&where=id IN (SELECT id FROM nowhere WHERE value = 1)', {
        where: [
          'Table "public"."nowhere" does not exist. If the table name contains capitals or special characters you must quote it.',
        ],
      }),
      refusing('table=wide&offset=-1&where=id IN (SELECT nope FROM wide)', { where: ['At location 14: unknown reference nope'] }),
    ],
  },
  {
    clause: '3.18',
    cases: [
      telling(
        'a column that is worked out, in first rows, in the log and in a filter',
        async (served) => {
          const all = await Reader.of(served, GENERATED);
          const dear = await Reader.following(served, GENERATED, '&columns=id,gross&where=gross > 50');
          await all.write('INSERT INTO @ VALUES (1, 10)');
          const answers = [await all.read()];
          await all.catchUp();
          answers.push(await all.live('UPDATE @ SET price = 20'), await dear.live('INSERT INTO @ VALUES (1, 20), (2, 30)'));
          return answers.flatMap(changesIn).map(({ value }) => value);
        },
        [{ id: '1', price: '10', gross: '20' }, { id: '1', price: '20', gross: '40' }, { id: '2', gross: '60' }],
      ),
    ],
  },
];
