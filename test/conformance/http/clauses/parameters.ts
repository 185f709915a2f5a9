/** Section 3: what each parameter may say, and in which words it is refused. */
import { asking, refusing, type Clause } from '../clause.ts';

const BASE = 'table=items&offset=-1';
const BLANK = "can't be blank";
const FORMAT = 'has invalid format';
const unknown = (name: string): string =>
  `Table ${name} does not exist. If the table name contains capitals or special characters you must quote it.`;
const refusedBody = (body: string, status: number, gives: object) =>
  asking(`POST /v1/shape?${BASE}`, { status, body: gives, 'cache-control': 'no-cache' }, { body });

export const PARAMETERS: readonly Clause[] = [
  {
    clause: '3.1',
    cases: [
      asking(`GET /v1/shape?${BASE}&unrelated=foo&where=%20&subsets=1`, { status: 200 }),
      refusing('table=%20&offset=-1', { table: [BLANK] }),
      asking(`POST /v1/shape?${BASE}`, { status: 200 }, { body: '{"live":null,"columns":null,"handle":null}' }),
    ],
  },
  {
    clause: '3.2',
    cases: [
      refusing('replica=half&log=none', { offset: [BLANK], replica: ['is invalid'], log: ['is invalid'] }),
      refusing('offset=x&live=true', { offset: [FORMAT] }),
      refusing('offset=0_0&live=true', { handle: ["can't be blank when offset != -1"] }),
      refusing('offset=-1&live=true&live_sse=true', { live: ["can't be true when offset == -1"] }),
      refusing('offset=-1&live_sse=true', { live_sse: ["can't be true unless live is also true"] }),
    ],
  },
  {
    clause: '3.3',
    cases: [
      refusing('table=items', { offset: [BLANK] }),
      refusing('table=items&offset=', { offset: [BLANK] }),
      ...['invalid', '10', '1_2_3', '1_2%20', '10_32.1', '0_-1', '-2_0', '-1_3'].map((offset) =>
        refusing(`table=items&offset=${offset}`, { offset: [FORMAT] }),
      ),
    ],
  },
  {
    clause: '3.4',
    cases: [
      refusing('table=items&offset=0_0', { handle: ["can't be blank when offset != -1"] }),
      ...['-1', 'now'].map((offset) => asking(`GET /v1/shape?table=items&offset=${offset}&handle=any`, { status: 200 })),
    ],
  },
  {
    clause: '3.5',
    cases: [
      ...['live', 'live=0', 'live=true'].map((flag) => refusing(`${BASE}&${flag}`, { live: ["can't be true when offset == -1"] })),
      refusing('table=items&offset=now&live=true', { live: ["can't be true when offset is 'now'"] }),
      asking(`GET /v1/shape?${BASE}&live=false`, { status: 200 }),
    ],
  },
  {
    clause: '3.6',
    cases: [
      ...['live_sse', 'live_sse=banana', 'experimental_live_sse=1'].map((flag) =>
        refusing(`table=items&offset=5_0&handle=H&${flag}`, { live_sse: ["can't be true unless live is also true"] }),
      ),
      asking(`GET /v1/shape?${BASE}&live_sse=false&experimental_live_sse=true`, { status: 200 }),
    ],
  },
  {
    clause: '3.7',
    cases: [
      refusing('table=.invalid_shape&offset=-1', { table: ['Invalid zero-length delimited identifier'] }),
      refusing('table=a.b.c&offset=-1', { table: ['Invalid relation identifier, too many delimiters: a.b.c'] }),
      refusing(`table=${'a'.repeat(64)}&offset=-1`, { table: ['Identifier is too long (max length is 63)'] }),
      refusing('table=foo bar&offset=-1', { table: ['Invalid unquoted identifier contains special characters: foo bar'] }),
      asking('GET /v1/shape?table=PUBLIC.Items&offset=-1', { status: 200 }),
      asking('GET /v1/shape?table="odd ""table"""."a.b"&offset=-1', { status: 200 }),
    ],
  },
  {
    clause: '3.8',
    cases: [
      refusing('offset=-1', { table: [BLANK] }),
      refusing('table=nonexistent&offset=-1', { table: [unknown('"public"."nonexistent"')] }),
      refusing('table=_val1d_schëmaΦ$.Φtàble&offset=-1', { table: [unknown('"_val1d_schëmaΦ$"."Φtàble"')] }),
    ],
  },
  {
    clause: '3.9',
    cases: [
      refusing(`${BASE}&columns=value`, { columns: ['The list of columns must include all primary key columns, missing: id'] }),
      refusing(`${BASE}&columns=id,invalid`, { columns: ['The following columns are not found on the table: invalid'] }),
      refusing(`${BASE}&columns=,,,`, { columns: ['Invalid zero-length delimited identifier'] }),
      refusing(`${BASE}&columns="id,"name"`, { columns: ['Invalid unquoted identifier contains special characters: "id'] }),
      asking(`POST /v1/shape?${BASE}`, { status: 400 }, { body: '{"columns":["id",""]}' }),
      asking(`POST /v1/shape?${BASE}`, { status: 200 }, { body: '{"columns":["id"]}' }),
    ],
  },
  {
    clause: '3.10',
    cases: [
      refusing('table=wide&offset=-1&queryable_columns=value1', {
        queryable_columns: ['The list of queryable columns must include all primary key columns, missing: id'],
      }),
      refusing('table=wide&offset=-1&queryable_columns=id,x', {
        queryable_columns: ['The following queryable columns are not found on the table: x'],
      }),
      refusing('table=wide&offset=-1&queryable_columns=id,value1&columns=id,value2', {
        columns: ['The following columns are not found on the table: value2'],
      }),
      asking("GET /v1/shape?table=wide&offset=-1&queryable_columns=id&where=value1='x'", {
        status: 200,
        'electric-schema': '{"id":{"type":"int8","pk_index":0,"not_null":true}}',
      }),
    ],
  },
  { clause: '3.11', cases: ['replica', 'log'].map((name) => refusing(`${BASE}&${name}=some`, { [name]: ['is invalid'] })) },
  {
    clause: '3.12',
    cases: [
      ...['params[2]=a', 'params[0]=a', 'params[1]=a&params[3]=b'].map((params) =>
        refusing(`${BASE}&where=value=$1&${params}`, { params: ['Parameters must be numbered sequentially, starting from 1'] }),
      ),
      refusing(`${BASE}&where=value=$1&params[x]=a`, { params: ['Parameters can only use numbers as keys'] }),
      asking(`GET /v1/shape?${BASE}&where=value=$1&params[1]=a`, { status: 200 }),
    ],
  },
  {
    clause: '3.13',
    cases: [
      refusedBody('["an","array"]', 400, { error: 'Request body must be a JSON object' }),
      refusedBody(`{"a":"${'x'.repeat(8_000_000)}"}`, 413, { error: 'Request body too large' }),
      asking('POST /v1/shape?offset=-1&table=nonexistent', { status: 200, 'cache-control': 'no-cache' }, { body: '{"table":"items"}' }),
      asking(`POST /v1/shape?${BASE}`, { status: 400 }, { body: 'not valid json' }),
    ],
  },
];
