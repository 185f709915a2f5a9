/** Section 7: what caches are told. */
import { asking, headersOf, telling, type Clause } from '../clause.ts';
import { Reader } from '../reader.ts';

export const CACHES: readonly Clause[] = [
  {
    clause: '7.1',
    cases: [
      telling(
        'the first chunk, a read, and a read of nothing new by now',
        async (served) => {
          const reader = await Reader.of(served);
          const first = await reader.read();
          const second = await reader.read();
          reader.offset = 'now';
          const third = await reader.read();
          return [first, second, third].map(({ headers }) => headers.get('etag')?.replace(reader.handle, 'H').replace(/\d{9,}/, 'N'));
        },
        ['"H:-1:0_0"', '"H:0_0:0_inf"', '"H:now:0_inf:N"'],
      ),
    ],
  },
  {
    clause: '7.2',
    cases: [
      telling(
        'a chunk again, by its tag in a list',
        async (served) => {
          const reader = await Reader.of(served);
          const first = await reader.read();
          reader.offset = '-1';
          const tag = first.headers.get('etag')?.replaceAll('"', '');
          const again = await reader.read('', { headers: { 'if-none-match': `"other", ${tag}` } });
          return [again.status, again.body, ...headersOf(again, 'electric-offset', 'electric-schema')];
        },
        [304, '', '0_0', null],
      ),
    ],
  },
  {
    clause: '7.3',
    cases: [
      telling(
        'a first chunk, a read, and a poll',
        async (served) => {
          const reader = await Reader.of(served);
          const answers = [await reader.read(), await reader.read(), await reader.live("INSERT INTO @ VALUES (1, 'a')")];
          return answers.flatMap((answer) => headersOf(answer, 'cache-control'));
        },
        [
          'public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746',
          'public, max-age=60, stale-while-revalidate=300',
          'public, max-age=5, stale-while-revalidate=5',
        ],
      ),
    ],
  },
  {
    clause: '7.4',
    cases: [asking('GET /v1/shape?table=items&offset=x', { status: 400, 'cache-control': 'no-store', 'surrogate-control': 'no-store' })],
  },
  {
    clause: '7.5',
    cases: [
      asking('POST /v1/shape?table=items&offset=-1', { status: 200, 'cache-control': 'no-cache' }),
      asking('POST /v1/shape?table=items&offset=x', { status: 400, 'cache-control': 'no-cache', 'surrogate-control': null }),
    ],
  },
  {
    clause: '7.6',
    cases: [
      telling(
        'columns of many types',
        async (served) => {
          const scalars = 'id bigserial PRIMARY KEY, a smallint, c char, d time(3), e numeric(5,3), f bit(5), g interval day to second';
          const { headers } = await (await Reader.of(served, `${scalars}, b varchar(123)[][]`)).read();
          return JSON.parse(headers.get('electric-schema') ?? '');
        },
        {
          id: { type: 'int8', pk_index: 0, not_null: true },
          a: { type: 'int2' },
          b: { type: 'varchar', max_length: 123, dims: 2 },
          c: { type: 'bpchar', length: 1 },
          d: { type: 'time', precision: 3 },
          e: { type: 'numeric', precision: 5, scale: 3 },
          f: { type: 'bit', length: 5 },
          g: { type: 'interval', fields: 'DAY TO SECOND' },
        },
      ),
    ],
  },
];
