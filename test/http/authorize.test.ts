/** A program decides about each request: what it fixes holds whatever the client sends, and in doubt nothing is shown. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Authorize, Grant } from '../../src/http/web/handler-types.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import { column, itemLine, key } from '../support/http/api-world.ts';
import { startHttpWorld, type HttpWorld } from '../support/http/http-world.ts';

const BASE = 'http://app.example/shapes';
const ROWS = ['1', '2'].map((id) => itemLine(id, 'v'));

let language: Awaited<ReturnType<typeof loadWhereLanguage>>;
let world: HttpWorld;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

beforeEach(async () => {
  world = await startHttpWorld({ rows: ROWS, language, subsetLanguage: language });
});

afterEach(() => world.close());

/** @param query without an offset: from the start. */
async function ask(authorize: Authorize, query: string, init?: RequestInit) {
  const text = query.includes('offset=') ? query : `${query}&offset=-1`;
  const response = await world.handler({ authorize })(new Request(`${BASE}?${text}`, init));
  const body = await response.text();
  return { status: response.status, handle: response.headers.get('electric-handle') ?? '', body, response };
}

/** The shape that a client was led to. */
async function defined(grant: Grant, query: string): Promise<unknown> {
  const { handle, status, body } = await ask(() => grant, query);
  if (status !== 200) return { status, body };
  const { relation, columns, where } = world.directory.definitionOf(handle as never) ?? {};
  return { table: relation?.name, columns, where: where?.canonical, params: where?.params };
}

test.each<{ what: string; grant: Grant; query: string; expected: object }>([
  {
    what: 'nothing',
    grant: {},
    query: "table=items&where=value='a'",
    expected: { table: 'items', columns: ['id', 'value'], where: '("value" = text "a")' },
  },
  {
    what: 'the table, whichever the client names',
    grant: { table: 'items' },
    query: 'table=wide',
    expected: { table: 'items', columns: ['id', 'value'] },
  },
  {
    what: 'the columns, whatever else the client lists as allowed',
    grant: { table: 'wide', columns: ['id', 'value1'] },
    query: 'queryable_columns=id,value1,value2',
    expected: { table: 'wide', columns: ['id', 'value1'] },
  },
  {
    what: 'the rows',
    grant: { table: 'items', where: 'value = $1', params: ['a'] },
    query: '',
    expected: { table: 'items', where: '("value" = text "a")', params: ['a'] },
  },
  {
    what: 'the rows, of which the client takes some, with parameters of its own',
    grant: { table: 'items', where: 'value = $1 OR value = $2', params: ['a', 7] },
    query: `where=${encodeURIComponent("value > $1 AND value <> '$2' -- $1")}&params[1]=0`,
    expected: {
      table: 'items',
      where: '((("value" = text "a") OR ("value" = text "7")) AND (("value" COLLATE "C" > text "0") AND ("value" <> text "$2")))',
      params: ['a', '7', '0'],
    },
  },
])('it fixes $what', async ({ grant, query, expected }) => {
  expect(await defined(grant, query)).toMatchObject(expected);
});

const MINE: Grant = { table: 'wide', where: 'value1 = $1', params: ['mine'], columns: ['id', 'value1', 'value2'] };

test.each([
  { what: 'a filter that closes the bracket around it', query: "where=true) OR (true" },
  { what: 'a filter that opens a comment', query: 'where=true /* OR' },
  { what: 'a second statement', query: 'where=true; SELECT 1' },
  { what: 'a column that is not allowed, in a filter', query: "where=value3 = 'x'" },
  { what: 'a column that is not allowed, qualified', query: "where=wide.value3 = 'x'" },
  { what: 'a column that is not allowed, selected', query: 'columns=id,value3' },
  { what: 'another table, in a filter', query: "where=id IN (SELECT id FROM items WHERE value = 'x')" },
  { what: 'the same table, in a filter', query: "where=id IN (SELECT id FROM wide WHERE value3 = 'x')" },
  { what: 'a filter that fails in a row that is not shown', query: "where=1 / (length(value1) - 4) = 1" },
  { what: 'a cast that fails in a row that is not shown', query: 'where=value1::int = 1' },
  { what: 'the fixed parameter', query: 'where=value1 = $2&params[2]=x' },
  { what: 'a part of the rows by a column that is not allowed', query: "subset__where=value3 = 'x'" },
  { what: 'a part of the rows in the order of such a column', query: 'subset__order_by=value3&subset__limit=1' },
  { what: 'a part of the rows by a filter that may fail', query: 'subset__where=value1::int = 1' },
])('a client does not reach $what', async ({ query }) => {
  const { status, body } = await ask(() => MINE, encoded(query));

  expect({ status, isShown: body.includes('snapshot'), message: body.includes('Invalid request') }).toEqual({
    status: 400,
    isShown: false,
    message: true,
  });
});

/** Values only. */
function encoded(query: string): string {
  return query.split('&').map((part) => part.replace(/=(.*)/s, (_, value: string) => `=${encodeURIComponent(value)}`)).join('&');
}

test('a handle of another definition leads to the right one', async () => {
  const mine = await ask(() => MINE, '');
  const others = await ask(() => ({ ...MINE, params: ['others'] }), '');

  const answer = await ask(() => MINE, `offset=0_0&handle=${others.handle}`);

  expect([answer.status, answer.handle]).toEqual([409, mine.handle]);
});

test('no cache gives an answer to anybody else', async () => {
  const { handle, response: first } = await ask(() => MINE, '');
  world.append(handle, 100, itemLine('3', 'v'));
  const later = await ask(() => MINE, `offset=0_0&handle=${handle}`);
  const answers = [first, later.response, (await ask(() => MINE, 'offset=5_0&handle=no')).response];

  expect(answers.map(({ status, headers }) => [status, headers.get('cache-control')])).toEqual([
    [200, 'private, no-cache'],
    [200, 'private, no-cache'],
    [409, 'private, no-cache'],
  ]);
});

test('false is 403, and an answer of the program is sent as it is', async () => {
  const own = Response.json({ login: 'please' }, { status: 401, headers: { 'www-authenticate': 'Bearer' } });

  const answers = [await ask(() => false, 'table=items'), await ask(() => Promise.resolve(own), 'table=items')];

  expect(answers.map(({ status, body, response }) => [status, body, response.headers.get('www-authenticate')])).toEqual([
    [403, '{"message":"Forbidden"}', null],
    [401, '{"login":"please"}', 'Bearer'],
  ]);
});

test.each<{ what: string; verdict: unknown; why: RegExp }>([
  { what: 'nothing', verdict: undefined, why: /must give false, a Response, or an object/ },
  { what: 'true', verdict: true, why: /must give/ },
  { what: 'an error', verdict: new Error('no session'), why: /another kind: \[object Error\]/ },
  { what: 'a map', verdict: new Map([['table', 'items']]), why: /another kind/ },
  { what: 'a date', verdict: new Date(0), why: /another kind/ },
  { what: 'what is inherited', verdict: Object.create({ table: 'items', where: 'false' }), why: /another kind/ },
  { what: 'a slip of the pen', verdict: { table: 'items', were: 'false' }, why: /were/ },
  { what: 'a filter that is not there', verdict: { table: 'items', where: undefined }, why: /where is undefined/ },
  { what: 'a blank filter', verdict: { table: 'items', where: ' ' }, why: /where is blank/ },
  { what: 'a filter with a semicolon', verdict: { table: 'items', where: "value = 'a'; " }, why: /where ends in a semicolon/ },
  { what: 'no column', verdict: { table: 'items', columns: [] }, why: /columns has no column/ },
  { what: 'a value that is not there', verdict: { where: 'value = $1', params: [undefined] }, why: /params/ },
  { what: 'values without a filter', verdict: { table: 'items', params: ['a'] }, why: /without where/ },
  { what: 'a filter that is none', verdict: { table: 'items', where: 'value =' }, why: /cannot be used: At location/ },
  { what: 'a filter that closes brackets', verdict: { table: 'items', where: "value = 'a') OR (true" }, why: /cannot be used/ },
  { what: 'a column that there is not', verdict: { table: 'items', columns: ['id', 'no'] }, why: /columns that authorize .* no"/ },
  { what: 'columns without the key', verdict: { table: 'items', columns: ['value'] }, why: /columns that authorize .* id"/ },
  { what: 'a value that no parameter has', verdict: { table: 'items', where: 'value = $2', params: ['a'] }, why: /cannot be used/ },
])('what is no answer is 500, and told in the log: $what', async ({ verdict, why }) => {
  const { status, body } = await ask(() => verdict as Grant, "table=items&where=value='x'");

  expect({ status, body, failures: world.failures.map(String) }).toEqual({
    status: 500,
    body: '{"error":"Internal server error"}',
    failures: [expect.stringMatching(why)],
  });
});

test('a hook that is none lets nobody in', async () => {
  // @ts-expect-error a program without types may give it.
  const { status } = await ask(null, 'table=items');

  expect({ status, failures: world.failures.map(String) }).toEqual({ status: 500, failures: [expect.stringContaining('TypeError')] });
});

test.each<{ what: string; grant: Grant }>([
  { what: 'filter', grant: { where: "value = 'a'" } },
  { what: 'columns', grant: { columns: ['id', 'value'] } },
])('a client that chooses a table to which the fixed $what does not fit is refused, and is no fault', async ({ grant }) => {
  const { status, body } = await ask(() => grant, 'table=wide');

  expect({ status, body: JSON.parse(body) as unknown, failures: world.failures }).toEqual({
    status: 400,
    body: { message: 'Invalid request', errors: { table: ['This table cannot be read within what is fixed for the request'] } },
    failures: [],
  });
});

test.each<{ what: string; grant: Grant }>([
  { what: 'filter', grant: { table: 'items', where: "added = 'x'" } },
  { what: 'columns', grant: { table: 'items', columns: ['id', 'added'] } },
])('a fixed $what may name a column that was just added', async ({ grant }) => {
  world.catalog.alter('items', [key('id', 'uuid'), column('value', 'text'), column('added', 'text')]);

  expect((await ask(() => grant, '')).status).toBe(200);
});

test('a hook that throws is 500 without its words', async () => {
  const { status, body } = await ask(() => Promise.reject(new Error('the session store is away')), 'table=items');

  expect({ status, body, failures: world.failures.map(String) }).toEqual({
    status: 500,
    body: '{"error":"Internal server error"}',
    failures: ['Error: the session store is away'],
  });
});

test('nobody is asked about a preflight or a verb that there is not, and a shape is deleted by nobody who was', async () => {
  const asked: string[] = [];
  const authorize: Authorize = ({ method }) => {
    asked.push(method);
    return {};
  };

  const statuses: number[] = [];
  for (const method of ['OPTIONS', 'PUT', 'DELETE', 'GET', 'HEAD']) statuses.push((await ask(authorize, 'table=items', { method })).status);

  expect({ statuses, asked }).toEqual({ statuses: [204, 404, 405, 200, 200], asked: ['DELETE', 'GET', 'HEAD'] });
});

function aMoment(): Promise<void> {
  let turns = 0;
  return world.until(() => (turns += 1) > 1);
}

test.each<{ method: string; body?: string }>([{ method: 'GET' }, { method: 'POST', body: '{}' }])(
  'a client that leaves while it is decided about leaves nothing behind, $method',
  async (init) => {
    const leaving = new AbortController();
    let decide = (grant: Grant): void => void grant;
    const authorize: Authorize = () => new Promise<Grant>((resolve) => (decide = resolve));
    const answer = ask(authorize, 'table=items', { ...init, signal: leaving.signal });

    leaving.abort();
    const { status } = await answer;
    await aMoment(); // It is over.
    decide({});
    await ask(() => ({ table: 'wide' }), ''); // By then the other would have made its shape.
    await aMoment();

    const { clock, directory, failures } = world;
    expect({ status, created: directory.created, load: world.api.load(), timers: clock.pendingTimers, failures }).toEqual({
      status: 499,
      created: 1,
      load: { initial: 0, existing: 0, parked: 0 },
      timers: 0,
      failures: [],
    });
  },
);
