/** Section 12: why a row is in a shape, or is not, and where a transaction stands. */
import { expect } from 'vitest';
import { ask, askingGuarded, asking, telling, type Clause, type Served } from '../clause.ts';
import { Reader } from '../reader.ts';

const GONE = { code: 'shape_gone', message: 'No shape has this handle: it has ended, or there never was one.' };
const TOLD_METHODS = 'GET, HEAD, OPTIONS';

interface Standing {
  readonly status: string;
  readonly offset?: string;
}

/** Where what `sql` did stands for the reader's shape, once it is settled: both statuses, and whether the offset is the end. */
async function standingOf(served: Served, sql: string, isWhole = false): Promise<unknown> {
  const reader = await Reader.following(served, 'id int PRIMARY KEY, value text', '&where=id<10');
  const session = await served.database.session();
  await session.query('BEGIN');
  const number = isWhole ? 'pg_current_xact_id()::text' : 'pg_current_xact_id()::xid::text';
  const { rows } = await session.query<{ xid: string }>(`SELECT ${number} AS xid`);
  await session.query(sql.replaceAll('@', reader.table));
  await session.end();
  for (;;) {
    const { status, body } = await ask(served.url, `GET /v1/txid/${rows[0]?.xid ?? ''}?handle=${reader.handle}`);
    const standing = body as Standing;
    if (status === 202) continue;
    await reader.catchUp();
    return [status, standing.status, standing.offset === reader.offset];
  }
}

/** Of one that has yet to end. */
async function standingOfOpen(served: Served): Promise<unknown> {
  const reader = await Reader.following(served);
  const session = await served.database.session();
  await session.query('BEGIN');
  const { rows } = await session.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
  const { status, body } = await ask(served.url, `GET /v1/txid/${rows[0]?.xid ?? ''}?handle=${reader.handle}`);
  await session.end();
  return [status, body];
}

/** Of a shape that has row 1 and not row 20: the HTTP status, the verdict, whether the row is in the shape, and what is told. */
async function explainedOf(served: Served, row: string): Promise<unknown> {
  const reader = await Reader.of(served, 'id int PRIMARY KEY, value text', '&where=id<10');
  await reader.write("INSERT INTO @ VALUES (1, 'a'), (20, 'b')");
  await reader.catchUp();
  for (;;) {
    const path = `/v1/shape/explain?handle=${reader.handle}&${encodeURI(row.replaceAll('@', reader.table))}`;
    const { status, body } = await ask(served.url, `GET ${path}`);
    const told = body as { verdict: { code: string }; in_shape: boolean | null; shape: { snapshot: string } };
    if (told.shape.snapshot === 'complete') return [status, told.verdict.code, told.in_shape, Object.keys(told).sort()];
  }
}

export const EXPLAINING: readonly Clause[] = [
  {
    clause: '12.1',
    cases: [
      telling('of rows that match', (served) => standingOf(served, "INSERT INTO @ VALUES (1, 'a'), (2, 'b'); COMMIT"), [200, 'in', true]),
      telling('of one that does not', (served) => standingOf(served, "INSERT INTO @ VALUES (20, 'a'); COMMIT"), [200, 'passed', false]),
      telling('of a rollback', (served) => standingOf(served, "INSERT INTO @ VALUES (1, 'a'); ROLLBACK"), [200, 'aborted', false]),
      telling('of one that runs', standingOfOpen, [202, {
        txid: expect.any(Number), handle: expect.any(String), status: 'not_yet', waits_for: 'commit',
        message: 'The transaction is still running.',
      }]),
    ],
  },
  {
    clause: '12.2',
    cases: [
      telling('by its whole id', (served) => standingOf(served, "INSERT INTO @ VALUES (1, 'a'); COMMIT", true), [200, 'in', true]),
      asking('GET /v1/txid/x?handle=1-1', {
        status: 400, body: { message: 'Invalid request', errors: { txid: ['must be the number of a transaction'] } },
      }),
      asking('GET /v1/txid/700', { status: 400, body: { message: 'Invalid request', errors: { handle: ["can't be blank"] } } }),
      asking('GET /v1/txid/700?handle=1-1', { status: 404, body: GONE }),
    ],
  },
  {
    clause: '12.4',
    cases: [
      telling('of a row that is there', (served) => explainedOf(served, 'pk[id]=1'), [
        200, 'in_shape', true, ['filter', 'in_shape', 'log', 'row', 'shape', 'subqueries', 'verdict'],
      ]),
      telling('of a row that is left out', (served) => explainedOf(served, 'pk[id]=20'), [200, 'filtered_out', false, expect.any(Array)]),
      telling('of a shape as in a read, which is not made', async ({ url }) => {
        const { status, body } = await ask(url, 'GET /v1/shape/explain?table=wide&where=id=17&pk[id]=1');
        return [status, (body as { verdict: unknown }).verdict];
      }, [200, { code: 'no_shape', message: expect.any(String) }]),
      asking('GET /v1/shape/explain?handle=1-1&pk[id]=1', { status: 404, body: GONE }),
    ],
  },
  {
    clause: '12.5',
    cases: [
      telling('by its key', (served) => explainedOf(served, 'key="public"."@"/"1"'), [200, 'in_shape', true, expect.any(Array)]),
      telling('by JSON', (served) => explainedOf(served, 'pk={"id":1}'), [200, 'in_shape', true, expect.any(Array)]),
      telling('as it is written down', (served) => explainedOf(served, 'row={"id":"7"}'), [200, 'would_be_in', false, expect.any(Array)]),
      asking('GET /v1/shape/explain?table=items', {
        status: 400, body: { message: 'Invalid request', errors: { key: ['one of key, pk and row is required'] } },
      }),
      asking('GET /v1/shape/explain?table=wide&pk[value1]=1', {
        status: 400, body: { message: 'Invalid request', errors: { pk: ['is no key of a row of "public"."wide"'] } },
      }),
    ],
  },
  {
    clause: '12.3',
    cases: [
      asking('GET /v1/txid/700?handle=1-1', { 'cache-control': 'no-store', 'access-control-allow-methods': TOLD_METHODS }),
      asking('HEAD /v1/txid/700?handle=1-1', { status: 404, body: '' }),
      asking('OPTIONS /v1/txid/700', { status: 204, 'access-control-allow-methods': TOLD_METHODS }),
      asking('POST /v1/txid/700?handle=1-1', { status: 404, body: 'Not found' }),
      asking('GET /v1/shape/explain?handle=1-1&pk[id]=1', { 'cache-control': 'no-store', 'access-control-allow-methods': TOLD_METHODS }),
      asking('OPTIONS /v1/shape/explain', { status: 204, 'access-control-allow-methods': TOLD_METHODS }),
      askingGuarded('GET /v1/shape/explain?handle=1-1&pk[id]=1', { status: 401 }),
      askingGuarded('GET /v1/txid/700?handle=1-1', { status: 401 }),
      askingGuarded('GET /v1/txid/700?handle=1-1&secret=S3cret', { status: 404, body: GONE }),
    ],
  },
];
