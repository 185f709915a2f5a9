/** Section 8: how shapes end, and what their readers are told. */
import { ask, asking, headersOf, MUST_REFETCH, telling, type Clause } from '../clause.ts';
import { Reader } from '../reader.ts';

const NO_SHAPE = { message: 'No existing shape found' };
const MISMATCH =
  'The specified shape definition and handle do not match. Please ensure the shape definition is correct or omit the shape handle from ' +
  'the request to obtain a new one.';

export const ENDS: readonly Clause[] = [
  {
    clause: '8.1',
    cases: [
      telling(
        'an unknown handle of a shape that is not there, and of one that is',
        async (served) => {
          const reader = await Reader.of(served);
          [reader.offset, reader.handle] = ['0_0', 'none'];
          const made = await reader.read();
          const { handle } = reader;
          reader.handle = 'none';
          const found = await reader.read();
          return [made.status, made.body, found.status, reader.handle === handle, ...headersOf(found, 'cache-control', 'electric-offset')];
        },
        [409, MUST_REFETCH, 409, true, 'public, max-age=60, must-revalidate', null],
      ),
    ],
  },
  {
    clause: '8.2',
    cases: [
      telling(
        'polls of tables that are dropped and made anew, and lose a column',
        async (served) => {
          const ends: unknown[] = [];
          for (const sql of [
            'DROP TABLE @; CREATE TABLE @ (id int PRIMARY KEY, value text)',
            'ALTER TABLE @ DROP COLUMN value; INSERT INTO @ VALUES (1)',
          ]) {
            const reader = await Reader.following(served);
            let answer = await reader.live(sql);
            while (answer.status === 200) answer = await reader.read('&live=true');
            ends.push(answer.status);
          }
          return ends;
        },
        [409, 409],
      ),
    ],
  },
  {
    clause: '8.3',
    cases: [
      telling(
        'deletions by definition and by handle, of shapes that are there and that are not',
        async (served) => {
          const reader = await Reader.of(served);
          await reader.read();
          const remove = async (query: string): Promise<unknown[]> => {
            const { status, body } = await ask(served.url, `DELETE /v1/shape?${query}`);
            return [status, body];
          };
          return [
            await remove(`table=${reader.table}&handle=other`),
            await remove(`table=${reader.table}&columns=id`),
            await remove(`table=${reader.table}`),
            await remove(`handle=${reader.handle}`),
          ];
        },
        [
          [400, { message: MISMATCH }],
          [404, NO_SHAPE],
          [202, ''],
          [404, NO_SHAPE],
        ],
      ),
      asking('DELETE /v1/shape?table=.invalid_shape', {
        status: 400,
        body: { message: 'Invalid request', errors: { table: ['Invalid zero-length delimited identifier'] } },
        'cache-control': 'no-cache',
      }),
      asking('DELETE /v1/shape', {
        status: 400,
        body: { message: 'Invalid request', errors: { handle: ["can't be blank when shape definition is missing"] } },
      }),
      asking('DELETE /v1/shape?table=items&live=banana', {
        status: 400,
        body: { message: 'Invalid request', errors: { live: ['is invalid'] } },
      }),
    ],
  },
  {
    clause: '8.4',
    cases: [
      telling(
        'a shape that is deleted and asked for again, three times',
        async (served) => {
          const reader = await Reader.of(served);
          const handles = new Set<string>();
          for (let round = 0; round < 3; round += 1) {
            reader.offset = '-1';
            await reader.read();
            handles.add(reader.handle);
            await ask(served.url, `DELETE /v1/shape?handle=${reader.handle}`);
          }
          return handles.size;
        },
        3,
      ),
    ],
  },
];
