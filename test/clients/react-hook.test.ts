/** The hook of React's users, in a page: what a component shows of a shape is what SELECT answers, from its first rendering on. */
import { useShape } from '@electric-sql/react';
import { JSDOM } from 'jsdom';
import { createElement, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

interface Shown {
  readonly rows: readonly unknown[];
  readonly isLoading: boolean;
  readonly error: string | undefined;
}

type Asked = Readonly<Record<string, string>>;

let database: TestDatabase;
let service: ServiceInProcess;
let page: JSDOM['window']['document'];
let root: Root;
let leaving: AbortController;
let rendered: Shown[];
let requestCount: number;

beforeAll(async () => {
  const { window } = new JSDOM('', { url: 'http://localhost', pretendToBeVisual: true });
  page = window.document;
  vi.stubGlobal('window', window);
  vi.stubGlobal('document', page);
  database = await createDatabase();
  await database.query(`
    CREATE TABLE projects (id int PRIMARY KEY, open boolean NOT NULL);
    CREATE TABLE items (id int PRIMARY KEY, project_id int NOT NULL, title text)`);
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  await database.query(`
    DELETE FROM items; DELETE FROM projects; INSERT INTO projects VALUES (1, true), (2, false);
    INSERT INTO items VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 1, NULL)`);
  root = createRoot(page.body);
  leaving = new AbortController();
  rendered = [];
  requestCount = 0;
});

afterEach(() => {
  root.unmount();
  leaving.abort();
});

const counting: typeof fetch = (input, init) => {
  requestCount += 1;
  return fetch(input, init);
};

function Items({ asked }: { readonly asked: Asked }): ReactNode {
  const { data, isLoading, error } = useShape({
    url: service.shapeUrl, params: { table: 'items', ...asked }, signal: leaving.signal, fetchClient: counting,
    onError: () => {}, // The hook tells it; without this the stream throws it as well.
  });
  const rows = [...data].sort((left, right) => Number(left['id']) - Number(right['id']));
  const shown: Shown = { rows, isLoading, error: error === false ? undefined : error?.message };
  rendered.push(shown);
  return JSON.stringify(shown);
}

function show(asked: Asked = {}): void {
  root.render(createElement(Items, { asked }));
}

/** Resolves when the page shows what SELECT answers by now. */
async function untilEqual(where = 'true'): Promise<void> {
  const rows = await database.query(`SELECT id, project_id, title FROM items WHERE ${where} ORDER BY id`);
  await expect.poll(() => page.body.textContent).toBe(JSON.stringify({ rows, isLoading: false }));
}

test('a component shows that it waits, then the rows, and then each change', async () => {
  show({ where: 'id > 0' });
  await untilEqual();
  for (const sql of [
    "INSERT INTO items VALUES (4, 2, 'four')",
    "UPDATE items SET title = 'deux' WHERE id = 2",
    'DELETE FROM items WHERE id = 1',
    'TRUNCATE items',
    "INSERT INTO items VALUES (9, 1, 'anew')",
  ]) {
    await database.query(sql);
    await untilEqual();
  }

  const loaded = rendered.findIndex(({ isLoading }) => !isLoading);
  expect([rendered.slice(0, loaded), rendered.slice(loaded).filter(({ isLoading }) => isLoading)]).toEqual([
    rendered.slice(0, loaded).map(() => ({ rows: [], isLoading: true, error: undefined })),
    [],
  ]);
  expect(loaded).toBeGreaterThan(0);
});

test('a component that is asked for another shape shows that one', async () => {
  show({ where: 'project_id = 1' });
  await untilEqual('project_id = 1');
  show({ where: 'project_id = 2' });

  await untilEqual('project_id = 2');
});

test('rows leave a component with what a subquery selects, when it asks for deletes', async () => {
  const where = 'project_id IN (SELECT id FROM projects WHERE open)';
  show({ where, move_outs: 'deletes' });
  await untilEqual(where);
  await database.query('UPDATE projects SET open = NOT open');

  await untilEqual(where);
});

test('a component is told of a mistake in its words', async () => {
  show({ where: 'nope = 1' });
  await expect.poll(() => rendered.at(-1)?.error).toContain('unknown reference nope');
});

test('a component that comes again shows at once what was there; when its page has left, nobody asks', async () => {
  show({ where: 'id > -1' });
  await untilEqual();
  root.render(null);
  await database.query("INSERT INTO items VALUES (5, 1, 'five')");
  rendered.length = 0;
  show({ where: 'id > -1' });
  await untilEqual();
  const { isLoading } = rendered[0] ?? {};
  leaving.abort();
  const asked = requestCount;
  await database.query("INSERT INTO items VALUES (6, 1, 'six')");
  const witness = await fetch(`${service.shapeUrl}?table=items&offset=now`);

  expect([isLoading, requestCount, witness.status]).toEqual([false, asked, 200]);
});
