/** Who may look at the observer of a running service, and by which paths: tried as somebody would who may not. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeathsView } from '../../src/observer/views/deaths.ts';
import type { ServiceView } from '../../src/observer/views/service.ts';
import { ObserverClient } from '../support/observer/observer-client.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

const SECRET = 'open sesame';
const FORMS = [
  'service', 'tree', 'processes', 'process?pid=@http', 'populations', 'population?kind=supervisor', 'deaths', 'messages', 'shapes',
  'shape?handle=1-1', 'chart?machine=consumer', 'plots', 'postgres', 'scenario',
];
const PATHS = ['/_observer', '/_observer/events?topic=tree', ...FORMS.map((form) => `/_observer/api/${form}`)];

let database: TestDatabase;
let guarded: ServiceInProcess;
let demo: ServiceInProcess;
let stranger: ObserverClient;
let operator: ObserverClient;
let visitor: ObserverClient;

beforeAll(async () => {
  database = await createDatabase();
  const databaseUrl = database.url;
  guarded = await startServiceInProcess({ databaseUrl, flags: { secret: SECRET, insecure: 'false', storage: 'memory' } });
  stranger = new ObserverClient(guarded.url);
  operator = new ObserverClient(guarded.url, { authorization: `Bearer ${SECRET}` });
});

afterAll(async () => {
  await guarded.remove();
  await database.drop();
});

test('without the secret nothing is told, whatever is asked for and however', async () => {
  const asked = PATHS.flatMap((path) => ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'].map((method) => [method, path] as const));
  const answers = await Promise.all(asked.map(([method, path]) => stranger.raw(method, path)));
  const withSecret = FORMS.map((form) => `/_observer/api/${form}${form.includes('?') ? '&' : '?'}secret=${encodeURIComponent(SECRET)}`);
  const querying = await Promise.all(withSecret.map((path) => stranger.raw('GET', path)));

  expect([new Set(answers.map(({ status }) => status)), new Set(querying.map(({ status }) => status))]).toEqual([
    new Set([401]),
    new Set([401]), // Of an address that a page asks for the secret would be kept in too many places.
  ]);
});

test('with the secret each form is told, to be kept by nobody and read by its own page alone', async () => {
  const answers = await Promise.all(FORMS.map((form) => operator.raw('GET', `/_observer/api/${form}`)));

  expect(answers.map(({ status }) => status)).toEqual(FORMS.map((form) => (form.startsWith('shape?') ? 404 : 200)));
  const [{ headers }] = answers as [(typeof answers)[number]];
  expect([headers['cache-control'], headers['access-control-allow-origin'], headers['content-security-policy']]).toEqual([
    'no-store',
    undefined,
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ]);
});

test('a browser brings the secret once, and a cookie from then on', async () => {
  const entered = await stranger.raw('GET', `/_observer?secret=${encodeURIComponent(SECRET)}`);
  const [cookie = ''] = String(entered.headers['set-cookie']).split(';');
  const form = await stranger.raw('GET', '/_observer/api/service', { cookie });
  const shape = await stranger.raw('GET', '/v1/shape?table=items&offset=-1', { cookie });

  expect([entered.status, entered.headers.location, form.status, shape.status]).toEqual([303, '/_observer', 200, 401]);
});

test('a page of another origin gets nothing, with the secret or the cookie', async () => {
  const foreign = [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }];
  const answers = await Promise.all(foreign.map((headers) => operator.raw('GET', '/_observer/api/tree', headers)));

  expect(answers.map(({ status, headers }) => [status, headers['access-control-allow-origin']])).toEqual([
    [403, undefined], [403, undefined], [403, undefined],
  ]);
});

test.each([
  '/_observer/', '/_observer/api', '/_observer/api/', '/_observer/api/tree/', '//_observer/api/tree', '/_observer//api/tree', '/_OBSERVER',
  '/%5fobserver/api/tree', '/_observer/api/%74ree', '/_observer/api/../api/tree', '/_observer/..%2fapi/tree', '/_observer/api/__proto__',
  '/_observer/api/constructor', '/_observer/api/tree%00', '/./_observer/api/tree', '/v1/../_observer/api/tree', '/_observer/api/tree;a',
])('%s is no path, not for the operator either', async (path) => {
  expect((await operator.raw('GET', path)).status).toBe(404);
});

test('what is asked wrongly is said to be wrong, in words', async () => {
  const asked = [
    'process', 'processes?sort=secret', 'processes?limit=0', 'processes?limit=1e9', 'processes?after=-1', 'messages?lsn=x',
    'messages?from=now', 'processes?order=up',
    `processes?search=${'x'.repeat(3_000)}`, 'plots?minutes=1000',
  ];
  const answers = await Promise.all(asked.map((form) => operator.raw('GET', `/_observer/api/${form}`)));
  const queries = ['', '?topic=nothing', `?${'topic=tree&'.repeat(20)}`];
  const streams = await Promise.all(queries.map((query) => operator.raw('GET', `/_observer/events${query}`)));
  const codes = [...answers, ...streams].map(({ status, text }) => [status, (JSON.parse(text) as { code: string }).code]);

  expect(new Set(codes.map((code) => code.join(' ')))).toEqual(new Set(['400 invalid_parameter']));
});

test('outside of the demo nobody can end a process, the operator neither', async () => {
  const { canEnd } = await operator.form<ServiceView>('service');
  const asked = await operator.raw('POST', '/_observer/api/end?pid=@checkpointer', { 'x-armature-observer': 'end' });

  expect([canEnd, asked.status]).toEqual([false, 404]);
});

test('an observer that was not turned on is not there', async () => {
  const databaseUrl = database.url;
  await guarded.remove();
  guarded = await startServiceInProcess({ databaseUrl, flags: { observer: 'false', storage: 'memory' } });
  const client = new ObserverClient(guarded.url);
  const answers = await Promise.all(PATHS.map((path) => client.raw('GET', path)));

  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['404 Not found']));
});

test('in the demo a process can be ended, by its own page alone', async () => {
  const databaseUrl = database.url;
  await guarded.remove();
  demo = await startServiceInProcess({ databaseUrl, command: 'demo', flags: { insecure: 'false', storage: 'memory' } });
  guarded = demo;
  visitor = new ObserverClient(demo.url);
  const pid = demo.runtime.whereis('@checkpointer') ?? '';
  const path = `/_observer/api/end?pid=${encodeURIComponent(pid)}`;
  const own = { 'x-armature-observer': 'end' };
  const tree = await visitor.form<{ roots: readonly { pid: string }[] }>('tree');
  const statuses = [
    (await visitor.raw('GET', path, own)).status,
    (await visitor.raw('POST', path)).status,
    (await visitor.raw('POST', path, { ...own, origin: 'https://evil.example' })).status,
    (await visitor.raw('POST', path, { ...own, host: 'evil.example' })).status,
    (await visitor.raw('POST', '/_observer/api/end?pid=nobody', own)).status,
    (await visitor.raw('POST', `/_observer/api/end?pid=${encodeURIComponent(tree.roots[0]?.pid ?? '')}`, own)).status,
    (await visitor.raw('POST', path, { ...own, origin: demo.url })).status,
  ];

  const { deaths } = await visitor.until<DeathsView>('deaths', (view) => view.deaths[0]?.decision.type === 'restarted');
  expect([statuses, deaths.map((death) => [death.pid, death.reason.text])]).toEqual([
    [404, 403, 403, 403, 404, 400, 200],
    [[pid, 'killed']],
  ]);
});
