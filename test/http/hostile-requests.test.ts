/**
 * The largest and deepest requests that a server takes the headers and the body of: each is answered at once, in the
 * form of the wire, and the service goes on. Each of them once took seconds to minutes, all its memory, or a 500.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { column, key } from '../support/http/api-world.ts';
import { startHttpWorld, told, type HttpWorld } from '../support/http/http-world.ts';

/** Far more than an answer takes on a busy machine, far less than these took. */
const PROMPT_MS = 5_000;
const BASE = 'table=items&offset=-1';

let world: HttpWorld;

beforeAll(async () => {
  world = await startHttpWorld({ settings: { longPollTimeoutMs: 20 } });
  world.catalog.add('widest', [key('id', 'int8'), ...Array.from({ length: 1599 }, (_, index) => column(`c${index}`, 'text'))]);
});

afterAll(() => world.close());

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function answered({ path = `/v1/shape?${BASE}`, ...init }: Asked): Promise<Record<string, unknown>> {
  const startMs = systemClock.nowMs();
  const { status, body } = await told(await world.get(path, init));
  return { status, body, isPrompt: systemClock.nowMs() - startMs < PROMPT_MS, failures: world.failures };
}

const query = (text: string): Asked => ({ path: `/v1/shape?${BASE}${text}` });
const post = (body: string, more = BASE): Asked => ({ path: `/v1/shape?${more}`, method: 'POST', body });
const refusal = (errors: Readonly<Record<string, readonly string[]>>): object => ({ message: 'Invalid request', errors });
const repeated = (length: number, item: (index: number) => string): string => Array.from({ length }, (_, index) => item(index)).join('');

const TOO_MANY_PARAMETERS = refusal({ query: ['has more than 12000 parameters'] });
const TOO_LONG = 'is longer than 262144 characters';
const TOO_MANY_COLUMNS = 'Too many columns (max is 1600)';
const NO_OFFSET = refusal({ offset: ['has invalid format'] });

test.each<[string, Asked, object]>([
  ['a parameter that nests 85,000 deep', query(`&a${'[b]'.repeat(85_000)}=1`), refusal({ a: ['nests deeper than 5 levels'] })],
  ['a parameter that nests 6 deep', query('&a[b][c][d][e][f][g]=1'), refusal({ a: ['nests deeper than 5 levels'] })],
  [
    'a deep parameter of a DELETE',
    { method: 'DELETE', path: `/v1/shape?a${'[b]'.repeat(10_000)}=1` },
    refusal({ a: ['nests deeper than 5 levels'] }),
  ],
  ['a list of 50,000 values', query('&a[]='.repeat(50_000)), TOO_MANY_PARAMETERS],
  ['18,000 parameters of a filter', query(repeated(18_000, (index) => `&params[${index}]=`)), TOO_MANY_PARAMETERS],
  ['120,000 columns', query(`&columns=id${',a'.repeat(120_000)}`), refusal({ columns: [TOO_MANY_COLUMNS] })],
  ['1,601 columns', query(`&columns=id${',a'.repeat(1600)}`), refusal({ columns: [TOO_MANY_COLUMNS] })],
  [
    '1,601 literal columns',
    post(JSON.stringify({ columns: Array.from({ length: 1601 }, () => 'id') })),
    refusal({ columns: [TOO_MANY_COLUMNS] }),
  ],
  [
    'all columns of the widest table, but one that is not queryable',
    {
      path:
        `/v1/shape?table=widest&offset=-1&columns=id${repeated(1599, (index) => `,c${index}`)}` +
        `&queryable_columns=id${repeated(1598, (index) => `,c${index}`)}`,
    },
    refusal({ columns: ['The following columns are not found on the table: c1598'] }),
  ],
  ['an offset of zeros', { path: `/v1/shape?table=items&offset=${'0'.repeat(250_000)}` }, NO_OFFSET],
  ['an offset of zeros in a body', post(JSON.stringify({ subset: {}, offset: '0'.repeat(7_900_000) })), NO_OFFSET],
  ['a table of a body that is too long', post(JSON.stringify({ table: '.'.repeat(7_900_000) })), refusal({ table: [TOO_LONG] })],
  ['columns of a body that are too long', post(JSON.stringify({ columns: 'a,'.repeat(3_900_000) })), refusal({ columns: [TOO_LONG] })],
  [
    'params of a body that are too long together',
    post(JSON.stringify({ subset: {}, params: { 1: 'x'.repeat(200_000), 2: 'x'.repeat(200_000) } })),
    refusal({ params: [TOO_LONG] }),
  ],
  ['brackets', post(`{"a":${'['.repeat(3_900_000)}${']'.repeat(3_900_000)}}`), { error: 'Request body nests deeper than 32 levels' }],
  ['brackets that do not close', post(`{"a":${'['.repeat(7_900_000)}`), { error: 'Request body nests deeper than 32 levels' }],
  [
    'objects in objects',
    post(`${'{"a":'.repeat(1_300_000)}1${'}'.repeat(1_300_000)}`),
    { error: 'Request body nests deeper than 32 levels' },
  ],
  ['empty lists', post(`{"a":[${'[],'.repeat(2_600_000)}1]}`), { error: 'Request body has more than 100000 values' }],
  [
    '700,000 keys',
    post(`{${repeated(700_000, (index) => `"${index.toString(36)}":1,`)}"x":1}`),
    { error: 'Request body has more than 100000 values' },
  ],
  [
    'literal columns that are no names',
    post(`{"columns":[${'0,'.repeat(3_900_000)}0]}`),
    { error: 'Request body has more than 100000 values' },
  ],
])('%s is a 400', async (_, asked, body) => {
  expect(await answered(asked)).toEqual({ status: 400, body, isPrompt: true, failures: [] });
});

test.each<[string, Asked, number]>([
  ['a filter of signs', query(`&where=${encodeURIComponent('+'.repeat(60_000))}`), 400],
  ['a path of slashes', { path: `${'/'.repeat(250_000)}v1/shape?${BASE}` }, 200],
  ['a path of what is no encoding', { path: '/%'.repeat(120_000) }, 404],
  ['a list of etags', { headers: { 'if-none-match': '"a",'.repeat(50_000) } }, 200],
  ['an etag of quotes', { headers: { 'if-none-match': '"'.repeat(200_000) } }, 200],
  ['a list of request headers', { method: 'OPTIONS', headers: { 'access-control-request-headers': 'if-none-match,'.repeat(17_000) } }, 204],
  ['a cursor of digits', { path: `/v1/shape?table=items&offset=now&cursor=${'1'.repeat(250_000)}` }, 200],
  ['a long handle', { path: `/v1/shape?table=items&offset=0_0&handle=${'h'.repeat(250_000)}` }, 409],
  ['12,000 parameters that nobody knows', { path: `/v1/shape?${BASE}${repeated(11_998, (index) => `&x${index}=`)}` }, 200],
  ['100,000 values that nobody knows', post(`{"a":[${'0,'.repeat(99_998)}0]}`), 200],
])('%s is answered', async (_, asked, status) => {
  expect(await answered(asked)).toMatchObject({ status, isPrompt: true, failures: [] });
});

test('brackets inside of the texts of a body are no levels, and a backslash hides a quote', async () => {
  const body = JSON.stringify({ note: `${'['.repeat(100)}"${'{'.repeat(100)}\\`, other: '"[' });
  expect(await answered(post(body))).toMatchObject({ status: 200 });
});

test('a secret is asked for before a query is found too large', async () => {
  const guarded = await startHttpWorld({ http: { secret: 'S3cret' } });
  const [without, withSecret] = [
    await guarded.shape('&a[]='.repeat(50_000)),
    await guarded.shape(`secret=S3cret${'&a[]='.repeat(50_000)}`),
  ];
  await guarded.close();
  expect([without.status, withSecret.status]).toEqual([401, 400]);
});
