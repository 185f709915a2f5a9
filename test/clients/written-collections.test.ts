/** Collections of TanStack DB that are written to: what was shown ahead stays until the log has brought its transaction. */
import type { Row } from '@electric-sql/client';
import { createCollection, createLiveQueryCollection } from '@tanstack/db';
import { electricCollectionOptions, isChangeMessage } from '@tanstack/electric-db-collection';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

interface Item extends Row {
  id: number;
  title: string;
}

type Mutation = { readonly type: string; readonly modified: Item; readonly original: object };

let database: TestDatabase;
let service: ServiceInProcess;
let leaving: AbortController;
let table: string;
let tables = 0;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  leaving = new AbortController();
  tables += 1;
  table = `items_${tables}`;
  await database.query(`
    CREATE TABLE ${table} (id int PRIMARY KEY, title text NOT NULL); INSERT INTO ${table} VALUES (1, 'one'), (2, 'two')`);
});

afterEach(() => {
  leaving.abort();
});

/** Writes all of it in one transaction, as an application's endpoint does. @returns the id of that, by which it is waited for. */
async function write(mutations: readonly Mutation[]): Promise<number> {
  const session = await database.session();
  await session.query('BEGIN');
  for (const { type, modified: { id, title }, original } of mutations) {
    if (type === 'insert') await session.query(`INSERT INTO ${table} VALUES ($1, $2)`, [id, title]);
    if (type === 'update') await session.query(`UPDATE ${table} SET title = $2 WHERE id = $1`, [id, title]);
    if (type === 'delete') await session.query(`DELETE FROM ${table} WHERE id = $1`, [(original as Item).id]);
  }
  const { rows: [row] } = await session.query<{ txid: string }>('SELECT pg_current_xact_id()::xid::text AS txid');
  await session.query('COMMIT');
  await session.end();
  return Number(row?.txid);
}

function collectionOf(syncMode: 'eager' | 'on-demand' | 'progressive') {
  const persist = async ({ transaction }: { transaction: { mutations: readonly unknown[] } }) => ({
    txid: await write(transaction.mutations as readonly Mutation[]), timeout: 30_000,
  });
  return createCollection(electricCollectionOptions<Item>({
    shapeOptions: { url: service.shapeUrl, params: { table }, signal: leaving.signal },
    syncMode, getKey: ({ id }) => id, onInsert: persist, onUpdate: persist, onDelete: persist,
  }));
}

const plain = (rows: readonly Item[]) => rows.map(({ id, title }) => ({ id, title })).sort((left, right) => left.id - right.id);
const selected = () => database.query<Item>(`SELECT id, title FROM ${table} ORDER BY id`);

describe.each(['eager', 'on-demand', 'progressive'] as const)('a collection that is %s', (syncMode) => {
  test('is the same before and after the log has brought what was written', async () => {
    const items = collectionOf(syncMode);
    await createLiveQueryCollection((q) => q.from({ item: items })).preload();
    await expect.poll(() => plain(items.toArray)).toEqual(await selected());
    const [inserted, updated] = [items.insert({ id: 3, title: 'three' }), items.update(1, (draft) => void (draft.title = 'uno'))];
    const ahead = plain(items.toArray);
    await Promise.all([inserted, updated].map(({ isPersisted }) => isPersisted.promise));
    const behind = [plain(items.toArray), await selected()];
    await items.delete(2).isPersisted.promise;

    expect({ behind, deleted: plain(items.toArray) }).toEqual({ behind: [ahead, ahead], deleted: await selected() });
  });
});

test('a transaction is waited for that is written elsewhere, and one that has come is not waited for', async () => {
  const items = collectionOf('eager');
  await items.preload();
  const txid = await write([{ type: 'insert', modified: { id: 7, title: 'seven' }, original: {} }]);
  await items.utils.awaitTxId(txid, 30_000);
  const shown = plain(items.toArray);

  expect([shown, await items.utils.awaitTxId(txid, 1)]).toEqual([await selected(), true]);
});

test('what is waited for may be told by its message', async () => {
  const items = collectionOf('eager');
  await items.preload();
  const match = items.utils.awaitMatch((message) => isChangeMessage(message) && message.headers.operation === 'delete', 30_000);
  await database.query(`DELETE FROM ${table} WHERE id = 1`);

  expect(await match).toBe(true);
  await expect.poll(() => plain(items.toArray)).toEqual(await selected());
});

test('a write that the database refuses is taken back', async () => {
  const items = collectionOf('eager');
  await items.preload();
  const before = plain(items.toArray);
  const refused = items.update(2, (draft) => void (draft.title = null as never));
  const told = await refused.isPersisted.promise.catch((error: unknown) => String(error));

  expect([String(told).includes('null value in column "title"'), plain(items.toArray)]).toEqual([true, before]);
});
