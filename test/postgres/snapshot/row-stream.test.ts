/** One query on a connection that somebody else had before and has afterwards. */
import { getEventListeners } from 'node:events';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { RowWriter } from '../../../src/postgres/encoding/row-writer.ts';
import { ArrayLiteral } from '../../../src/sql/values/array-literal.ts';
import { streamRows } from '../../../src/postgres/snapshot/row-stream.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';

let database: TestDatabase;
let client: pg.Client;
let encoder: RowWriter;
let begun: number;
let fragments: number;
let told: string;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  client = await database.session();
  encoder = new RowWriter([false]);
  begun = 0;
  fragments = 0;
});

/** @param taken resolves when the consumer has taken a fragment. */
function stream(sql: string, params: readonly string[] | undefined, signal: AbortSignal, taken = Promise.resolve()): Promise<unknown> {
  const rows = (): Promise<void> => {
    fragments += 1;
    return taken;
  };
  const options = { client, query: { sql, params }, encoder, rows, onFirst: () => void (begun += 1), signal };
  return streamRows(options).catch((error: unknown) => error);
}

test.each([
  ['rows', 'SELECT 1', undefined, undefined],
  ['no rows', 'SELECT 1 WHERE false', undefined, undefined],
  ['rows of a portal', 'SELECT $1::text', ['one'], undefined],
  ['no rows of a portal', 'SELECT $1::text WHERE false', ['one'], undefined],
  ['a refusal', 'SELECT 1 / 0', undefined, { code: '22012' }],
])('a query that brings %s begins once, if at all, and leaves connection and signal as they were', async (_, sql, params, outcome) => {
  const { signal } = new AbortController();
  const ended = await stream(sql, params, signal);

  const { rows } = await client.query<{ two: number }>('SELECT 2 AS two');
  expect({ ended, begun, rows, listeners: getEventListeners(signal, 'abort').length }).toEqual({
    ended: outcome === undefined ? undefined : expect.objectContaining(outcome),
    begun: outcome === undefined ? 1 : 0,
    rows: [{ two: 2 }],
    listeners: 0,
  });
});

test('an array of many values is written down in steps, between which others have their turn', async () => {
  let turns = 0;
  const clock: Clock = {
    ...systemClock,
    setTimer: (fire, delayMs) => {
      turns += 1;
      return systemClock.setTimer(fire, delayMs);
    },
  };
  const values = Array.from({ length: 300_000 }, (_, index) => (index === 7 ? null : `"${index}"`));
  await streamRows({
    client,
    query: { sql: 'SELECT count(*), count(item), max(length(item)) FROM unnest($1::text[]) i (item)', params: [new ArrayLiteral(values)] },
    encoder: new RowWriter([false, false, false]),
    rows: (fragment) => Promise.resolve(void (told = Buffer.from(fragment).toString())),
    onFirst: () => {},
    signal: new AbortController().signal,
    clock,
  });

  expect({ told: ['300000', '299999', '8'].every((count) => told.includes(count)), turns }).toEqual({ told: true, turns: 14 });
});

test('values are written down no further when nobody waits for them any more', async () => {
  const leaving = new AbortController();
  let walked = 0;
  const values = { *[Symbol.iterator]() { for (; walked < 300_000; walked += 1) yield `value ${walked}`; } };
  const clock: Clock = {
    ...systemClock,
    setTimer: (fire, delayMs) => {
      leaving.abort();
      return systemClock.setTimer(fire, delayMs);
    },
  };
  const query = { sql: 'SELECT $1::text[]', params: [new ArrayLiteral(values)] };
  const rows = (): Promise<void> => Promise.resolve();
  const options = { client, query, encoder, rows, onFirst: () => {}, signal: leaving.signal, clock };
  const ended = await streamRows(options).catch((error: unknown) => error);

  expect({ ended, isCutShort: walked < 30_000 }).toMatchObject({ ended: { message: 'the query was given up' }, isCutShort: true });
});

test('an array that is more than Postgres takes is a refusal in words, and the connection as it was', async () => {
  const [long] = ['x'.repeat(2 ** 24)];
  const values = Array.from({ length: 64 }, () => long ?? '');
  const refused = await streamRows({
    client,
    query: { sql: 'SELECT $1::text[]', params: [new ArrayLiteral(values)] },
    encoder,
    rows: () => Promise.resolve(),
    onFirst: () => {},
    signal: new AbortController().signal,
  }).catch((error: unknown) => error);

  const { rows } = await client.query<{ two: number }>('SELECT 2 AS two');
  expect({ refused, rows }).toMatchObject({ refused: { name: 'TooManyValuesError' }, rows: [{ two: 2 }] });
});

test('a query that was given up before it began is not asked', async () => {
  const signal = AbortSignal.abort();
  const ended = await stream('SELECT 1', undefined, signal);

  const isOpen = !client.connection.stream.destroyed;
  expect({ ended, begun, fragments, isOpen, listeners: getEventListeners(signal, 'abort').length }).toMatchObject({
    ended: { code: 'database_unreachable', message: 'the query was given up' }, begun: 0, fragments: 0, isOpen: false, listeners: 0,
  });
});

const LARGE = "SELECT repeat('x', 1000) FROM generate_series(1, 50000)";
const isHeldBack = (): boolean => client.connection.stream.isPaused();

test('while the consumer is busy a bounded part of the rows gathers, and the rest stays with Postgres', async () => {
  const gate = { open: (): void => {} };
  const opened = new Promise<void>((done) => (gate.open = done));
  const ended = stream(LARGE, undefined, new AbortController().signal, opened);
  await expect.poll(isHeldBack).toBe(true);
  const held = { fragments, isBounded: encoder.size < 1024 * 1024 };

  gate.open();
  await ended;

  expect({ held, isHeldBack: isHeldBack(), severalFragments: fragments > 2 }).toEqual({
    held: { fragments: 1, isBounded: true }, isHeldBack: false, severalFragments: true,
  });
});

test('what has gathered when the query is given up is given to nobody', async () => {
  const gate = { open: (): void => {} };
  const opened = new Promise<void>((done) => (gate.open = done));
  const abort = new AbortController();
  const ended = stream(LARGE, undefined, abort.signal, opened);
  await expect.poll(isHeldBack).toBe(true);

  abort.abort();
  gate.open();
  await opened;

  expect({ ended: await ended, fragments }).toMatchObject({ ended: { message: 'the query was given up' }, fragments: 1 });
});
