/** Section 11: rows as they are now. docs/subset-snapshots.md has each clause of that, and `test/http`, `test/service` hold them. */
import { ask, headersOf, MUST_REFETCH, telling, type Answer, type Case, type Clause, type Served } from '../clause.ts';
import { changesIn, Reader, said, type Message } from '../reader.ts';

const COLUMNS = 'id int PRIMARY KEY, value text, secret_token text, mood of_subsets.mood';
const MOODS = 'CREATE SCHEMA IF NOT EXISTS of_subsets; CREATE TYPE of_subsets.mood AS ENUM (\'sad\', \'happy\')';

interface Subset {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly data: readonly Message[];
}

let hasMoods: Promise<unknown> | undefined;

/** Five rows, the even ones happy. */
async function itemsOf(served: Served, more = '&log=changes_only'): Promise<Reader> {
  await (hasMoods ??= served.database.query(MOODS));
  const reader = await Reader.of(served, COLUMNS, more);
  await reader.write(`
    INSERT INTO @ SELECT i, 'value ' || i, 's' || i, CASE WHEN i % 2 = 0 THEN 'happy' ELSE 'sad' END::of_subsets.mood
      FROM generate_series(1, 5) i`);
  return reader;
}

const subsetOf = ({ body }: Answer): Subset => body as Subset;
const idsOf = (answer: Answer): unknown => subsetOf(answer).data.map(({ value }) => value?.['id']);

/** Ids of the rows that are asked for; of a refusal, what is said of the subset. */
function rows(query: string, gives: unknown, more?: string): Case {
  return telling(
    query.slice(0, 60),
    async (served) => {
      const answer = await (await itemsOf(served, more)).read(`&${query}`);
      return answer.status === 200 ? idsOf(answer) : [answer.status, (answer.body as { errors: { subset: unknown } }).errors.subset];
    },
    gives,
  );
}

const NOT_ALLOWED = ['CAST(id AS text)', 'lower(value)', '(SELECT 1)', 'id::text', 'CASE WHEN TRUE THEN id END', 'id + 1', 'value || value',
  'id IS NULL',
];

export const SUBSETS: readonly Clause[] = [
  {
    clause: '11.1',
    cases: [
      telling(
        'all rows',
        async (served) => {
          const answer = await (await itemsOf(served)).read('&subset__where=TRUE');
          const { metadata, data } = subsetOf(answer);
          const marks = new Set(data.map(({ headers }) => headers['snapshot_mark']));
          return [
            Object.keys(metadata).sort(), data.length, marks.size === 1 && marks.has(metadata['snapshot_mark']),
            ...headersOf(answer, 'cache-control', 'electric-snapshot', 'electric-offset', 'electric-up-to-date', 'etag'),
          ];
        },
        [['database_lsn', 'snapshot_mark', 'xip_list', 'xmax', 'xmin'], 5, true, 'no-cache', 'true', '0_0', '', null],
      ),
      rows('subset__anything=', ['1', '2', '3', '4', '5']),
      rows('subset__where=value ILIKE $1&subset__params={"1":"%252"}', ['2']),
      rows('subset__where=value = $1::text&subset__params[1]=value 3', ['3']),
      rows("subset__where=mood = $1&subset__params={\"1\":\"happy\"}", ['2', '4']),
      rows("subset__where=mood IN ('happy')", ['2', '4']),
      rows('subset__order_by=value ASC&subset__limit=1', ['1']),
      rows('subset__order_by=value DESC&subset__limit=1', ['5']),
      rows('subset__order_by=id DESC NULLS FIRST, value ASC NULLS LAST&subset__limit=2&subset__offset=1', ['4', '3']),
    ],
  },
  {
    clause: '11.2',
    cases: [
      rows('subset__limit=1', [400, { order_by: ['order_by is required when limit or offset is present'] }]),
      rows("subset__where=mood = 'furious'", [400, { where: 'invalid input value for enum of_subsets.mood: "furious"' }]),
      rows('subset__where=mood = ANY($1)&subset__params={"1":"{furious}"}',
        [400, { where: 'invalid input value for enum of_subsets.mood: "furious"' }],
      ),
      ...NOT_ALLOWED.map((order) =>
        telling(
          `an order by ${order}`,
          async (served) => {
            const answer = await (await itemsOf(served)).read(`&subset__order_by=${encodeURIComponent(order)}`);
            return [answer.status, JSON.stringify(answer.body).includes('not allowed in ORDER BY')];
          },
          [400, true],
        ),
      ),
      rows('subset__order_by=id; DROP TABLE users', [400, { order_by: ['Unexpected `;` in order by'] }]),
    ],
  },
  {
    clause: '11.3',
    cases: [
      telling(
        'the same by a body, with numbers as numbers',
        async (served) => {
          const reader = await itemsOf(served);
          const body = JSON.stringify({ where: 'id > $1', params: { 1: 1 }, order_by: 'id DESC', limit: 2, offset: 1 });
          const answer = await ask(served.url, `POST ${reader.path()}`, { body });
          return [answer.status, idsOf(answer), headersOf(answer, 'cache-control')];
        },
        [200, ['4', '3'], ['no-cache']],
      ),
    ],
  },
  {
    clause: '11.4',
    cases: [
      telling(
        'a filter on a column that is not selected, and one on a column that must not be asked about',
        async (served) => {
          const reader = await itemsOf(served, '&log=changes_only&queryable_columns=id,value,mood&columns=id');
          const seen = await reader.read("&subset__where=value='value 2'");
          const hidden = [await reader.read("&subset__where=secret_token='s2'"), await reader.read('&subset__order_by=secret_token')];
          return [
            subsetOf(seen).data.map(({ value }) => value),
            hidden.map(({ body }) => JSON.stringify(body).includes('unknown reference secret_token')),
          ];
        },
        [[{ id: '2' }], [true, true]],
      ),
    ],
  },
  {
    clause: '11.5',
    cases: [
      telling(
        'a change that is open while its row is asked for',
        async (served) => {
          const [reader, writer] = [await itemsOf(served), await served.database.session()];
          await reader.catchUp();
          await writer.query(`BEGIN; UPDATE ${reader.table} SET value = 'later' WHERE id = 3`);
          const [{ xid } = { xid: '' }] = (await writer.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid')).rows;
          const { metadata, data } = subsetOf(await reader.read('&subset__where=id=3'));
          const isHidden = (metadata['xip_list'] as string[]).includes(xid) || BigInt(xid) >= BigInt(String(metadata['xmax']));
          const live = reader.read('&live=true');
          await writer.query('COMMIT');
          const [change] = changesIn(await live);
          return [data[0]?.value?.['value'], isHidden, change && said(change), change?.headers['txids']].map((told) =>
            String(told) === xid ? 'its transaction' : told,
          );
        },
        ['value 3', true, 'update 3', 'its transaction'],
      ),
      telling(
        'one who follows a log that is over',
        async (served) => {
          const reader = await (await itemsOf(served)).catchUp();
          reader.handle = 'gone-1';
          const { status, body, headers } = await reader.read('&subset__where=TRUE');
          return [status, body, headers.get('electric-handle')];
        },
        [409, MUST_REFETCH, null],
      ),
    ],
  },
];
