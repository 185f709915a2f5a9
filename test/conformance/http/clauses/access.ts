/** Sections 1 and 2: routes, the secret, and other origins. */
import { asking, askingGuarded, type Clause } from '../clause.ts';

const METHODS = 'GET, POST, HEAD, DELETE, OPTIONS';
const UNAUTHORIZED = { status: 401, body: { message: 'Unauthorized - Invalid API secret' }, 'cache-control': 'no-store' };
const NOT_FOUND = { status: 404, body: 'Not found', 'access-control-allow-methods': 'GET, HEAD' };
const HTML = 'text/html; charset=utf-8';
const BASE = 'table=items&offset=-1';
const VARIANTS = ['/v1/shape/', '/v1//shape', '/v1/shape//', '/v1/%73hape'];
const REQUEST_ID = 'a-request-id-of-a-decent-length';

export const ACCESS: readonly Clause[] = [
  // With the observer, as on this machine alone; without it routing.test.ts has the empty answer.
  { clause: '1.1', cases: [asking('GET /', { status: 200, 'content-type': HTML }), asking('HEAD /', { status: 200, body: '' })] },
  {
    clause: '1.2',
    cases: [
      asking('GET /v1/health', {
        status: 200,
        body: { status: 'active' },
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-cache, no-store, must-revalidate',
      }),
    ],
  },
  {
    clause: '1.3',
    cases: [
      ...['GET /nonexistent', 'GET /v1', 'GET /v1/shape/x', 'POST /v1/health'].map((request) => asking(request, { ...NOT_FOUND })),
      ...['PUT /v1/shape', 'PATCH /v1/shape'].map((request) => asking(request, { status: 404, body: 'Not found' })),
    ],
  },
  {
    clause: '1.4',
    cases: [
      ...VARIANTS.map((path) =>
        asking(`GET ${path}?${BASE}`, { status: 200, 'electric-offset': '0_0', 'access-control-allow-methods': METHODS }),
      ),
      ...VARIANTS.flatMap((path) => ['GET', 'DELETE'].map((verb) => askingGuarded(`${verb} ${path}?${BASE}`, UNAUTHORIZED))),
      asking('GET /v1%2Fshape', NOT_FOUND),
    ],
  },
  { clause: '1.5', cases: [asking(`HEAD /v1/shape?${BASE}`, { status: 200, body: '', 'electric-offset': '0_0' })] },
  {
    clause: '1.6',
    cases: [asking('GET /', { 'x-request-id': REQUEST_ID }, { headers: { 'x-request-id': REQUEST_ID } })],
  },
  {
    clause: '1.7',
    cases: [
      ...['GET', 'POST', 'DELETE'].map((verb) => askingGuarded(`${verb} /v1/shape?${BASE}`, UNAUTHORIZED)),
      askingGuarded(`GET /v1/shape?${BASE}&secret=wrong&api_secret=S3cret`, UNAUTHORIZED),
      askingGuarded(`GET /v1/shape?${BASE}&secret=wrong`, UNAUTHORIZED, { headers: { authorization: 'Bearer S3cret' } }),
      ...['secret', 'api_secret'].map((name) => askingGuarded(`GET /v1/shape?${name}=S3cret`, { status: 400 })),
      askingGuarded('GET /v1/shape', { status: 400 }, { headers: { authorization: 'Bearer S3cret' } }),
      askingGuarded('GET /', { status: 200 }),
      askingGuarded('GET /nonexistent', { status: 404 }),
      askingGuarded('GET /v1/health', { status: 200 }),
      askingGuarded('OPTIONS /v1/shape', { status: 204 }),
    ],
  },
  {
    clause: '1.8',
    cases: [
      askingGuarded(`GET /v1/shape?${BASE}`, { status: 200, vary: 'authorization' }, { headers: { authorization: 'Bearer S3cret' } }),
      askingGuarded(`GET /v1/shape?${BASE}&secret=S3cret`, { status: 200, vary: null }),
    ],
  },
  {
    clause: '2.1',
    cases: [
      asking('GET /', { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, HEAD', vary: null }),
      asking(
        `GET /v1/shape?${BASE}`,
        { 'access-control-allow-origin': 'https://app.example', 'access-control-allow-methods': METHODS, vary: 'origin' },
        { headers: { origin: 'https://app.example' } },
      ),
    ],
  },
  {
    clause: '2.2',
    cases: [
      asking('OPTIONS /v1/shape?table=items', {
        status: 204,
        'access-control-allow-methods': METHODS,
        'access-control-max-age': '86400',
        'access-control-allow-headers': null,
        'cache-control': null,
        connection: 'keep-alive',
      }),
      ...[
        ['If-None-Match', 'If-None-Match'],
        ['content-type, x-other, authorization', 'content-type, authorization'],
      ].map(([wanted = '', allowed = '']) =>
        asking(
          'OPTIONS /v1/%73hape',
          { 'access-control-allow-headers': allowed },
          { headers: { 'access-control-request-headers': wanted } },
        ),
      ),
    ],
  },
];
