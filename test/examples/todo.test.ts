/** The todo app as `npm run example` starts it, in two windows of a real browser, over a service that goes away and comes back. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { seriousFaults } from '../support/browser/accessibility.ts';
import { launchBrowser, watchMisdeeds, type Misdeeds } from '../support/browser/browser.ts';
import { startTodoApp, type TodoApp } from '../support/examples/todo-app.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const HOSTILE = '<img src=x onerror="document.title=1">"\'; DROP TABLE todos; --';

let browser: Browser;
let database: TestDatabase;
let directory: string;
let service: ServiceInProcess;
let app: TodoApp;
let windows: readonly [Page, Page];
const misdeeds: Misdeeds[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'armature-todo-'));
  [browser, database] = await Promise.all([launchBrowser(), createDatabase()]);
  service = await startServiceOn('0');
  app = await startTodoApp(directory, '--database-url', database.url, '--service-url', service.url, '--port', '0');
  windows = [await openWindow(), await openWindow()];
});

afterAll(async () => {
  const code = await app.stop();
  await browser.close();
  await service.remove();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
  expect(code).toBe(0);
});

beforeEach(async () => {
  await database.query('DELETE FROM todos');
  await Promise.all(windows.map((page) => page.getByText('Nothing to do').waitFor()));
});

/** Whatever happened: no request left this machine, and no script failed. */
afterEach(() => expect(misdeeds).toEqual([{ elsewhere: [], errors: [] }, { elsewhere: [], errors: [] }]));

test('what one window adds, ticks and removes, the other shows', async () => {
  const [one, other] = windows;
  const seen = await everySight(one);
  await add(one, 'Buy milk');
  await add(one, 'Write to Ada');
  await expect.poll(() => shownIn(other)).toEqual(['Write to Ada', 'Buy milk']);
  await expect.poll(() => one.locator('.pending').count()).toBe(0);
  const sights = await seen();

  await other.getByLabel('Buy milk', { exact: true }).check();
  await one.locator('.done', { hasText: 'Buy milk' }).waitFor();
  await one.getByRole('button', { name: 'Remove Write to Ada' }).click();
  await other.getByText('0 to do, 1 done').waitFor();
  await expect.poll(() => one.locator('.pending').count()).toBe(0);

  const kept = await database.query('SELECT title, done FROM todos');
  expect({ sights, kept, one: await shownIn(one), other: await shownIn(other) }).toEqual({
    sights: ['Buy milk', 'Write to Ada, Buy milk'], // No write was shown twice, or not at all for a while.
    kept: [{ title: 'Buy milk', done: true }],
    one: ['Buy milk'],
    other: ['Buy milk'],
  });
});

test.each([
  { storage: 'its storage', forgets: false },
  { storage: 'an empty storage', forgets: true },
])('while the service is away the list stays and says so, and goes on once it is back with $storage', async ({ forgets }) => {
  const [one, other] = windows;
  await add(one, 'Before');
  await other.getByText('Before').waitFor();
  const { port } = new URL(service.url);

  await service.stop();
  await Promise.all(windows.map((page) => page.getByText(/^No connection/).waitFor()));
  await add(one, 'Meanwhile');
  await database.until("SELECT FROM todos WHERE title = 'Meanwhile'");
  const away = { one: await shownIn(one), other: await shownIn(other), pending: await one.locator('.pending').allTextContents() };
  if (forgets) rmSync(join(directory, 'shapes'), { recursive: true });
  service = await startServiceOn(port);
  await expect.poll(() => shownIn(other)).toEqual(['Meanwhile', 'Before']);
  await Promise.all(windows.map((page) => page.getByText(/^No connection/).waitFor({ state: 'detached' })));
  await expect.poll(() => one.locator('.pending').count()).toBe(0);

  forgiveErrors();
  expect(away).toEqual({ one: ['Meanwhile', 'Before'], other: ['Before'], pending: ['Meanwhile'] });
});

test('a window without a network says so, and follows again as soon as it has one', async () => {
  const [one, other] = windows;
  const lost = other.getByText('No connection: others may have changed this list.');

  await other.context().setOffline(true);
  await lost.waitFor();
  const faults = await seriousFaults(other, 'no connection');
  await other.context().setOffline(false);
  await lost.waitFor({ state: 'detached' });
  await add(one, 'Meanwhile');
  await expect.poll(() => shownIn(other)).toEqual(['Meanwhile']);

  forgiveErrors();
  expect(faults).toEqual([]);
});

test('a write that is not made is told, and is made again when asked', async () => {
  const [one, other] = windows;
  await one.route('**/changes', (route) => route.fulfill({ status: 503, json: { message: 'Postgres is away' } }), { times: 1 });

  await add(one, 'Buy milk');
  await one.getByText('“Buy milk” was not added: Postgres is away').waitFor();
  const faults = await seriousFaults(one, 'a failure');
  const before = await shownIn(one);
  await one.getByRole('button', { name: 'Try again' }).click();
  await other.getByText('Buy milk').waitFor();

  forgiveErrors();
  const left = await one.getByRole('button', { name: 'Try again' }).count();
  expect({ faults, before, left }).toEqual({ faults: [], before: [], left: 0 });
});

test('a list that cannot be read is no empty list', async () => {
  const [page] = windows;
  const refusal = { message: 'Invalid request', errors: { table: ['Table "public"."todos" does not exist.'] } };
  await page.route('**/shapes/todos?**', (route) => route.fulfill({ status: 400, json: refusal }), { times: 1 });

  await page.reload();
  const alert = page.getByText('The list cannot be read: Table "public"."todos" does not exist.');
  await alert.waitFor();
  const faults = await seriousFaults(page, 'no list');
  const told = await page.locator('.empty').count();
  await page.getByRole('button', { name: 'Load the page again' }).click();
  await alert.waitFor({ state: 'detached' });

  forgiveErrors();
  expect({ faults, told }).toEqual({ faults: [], told: 0 });
});

test('everything can be done by keyboard, and is said in words', async () => {
  const [page] = windows;
  const faults = [...(await seriousFaults(page, 'no todos'))];
  await page.getByLabel('What is to be done?').focus();
  for (const title of ['One', 'Two', 'Three']) {
    await page.keyboard.type(title);
    await page.keyboard.press('Enter');
  }
  for (const key of ['Tab', 'Tab', 'Space', 'Tab', 'Enter', 'Enter']) await page.keyboard.press(key); // Ticks Three; removes it and Two.
  await page.getByText('1 to do, 0 done').waitFor();
  faults.push(...(await seriousFaults(page, 'todos')));

  const focused = await page.evaluate<string>('document.activeElement.ariaLabel');
  expect({ faults, shown: await shownIn(page), focused }).toEqual({ faults: [], shown: ['One'], focused: 'Remove One' });
});

test('a title is text, whatever it holds', async () => {
  const [one, other] = windows;

  await add(one, HOSTILE);

  await expect.poll(() => shownIn(other)).toEqual([HOSTILE]);
  const seen = { images: await other.locator('img').count(), title: await other.title() };
  expect(seen).toEqual({ images: 0, title: 'Todos' });
});

test('a client reads the list and nothing else, and writes todos and nothing else', async () => {
  await database.query("CREATE TABLE secrets AS SELECT 'a secret' AS secret");
  const id = '00000000-0000-4000-8000-000000000000';
  const answers = await Promise.all([
    fetch(`${app.url}/shapes/todos?offset=-1&table=secrets&columns=secret&where=true`),
    fetch(`${app.url}/shapes/todos?offset=-1`, { method: 'DELETE' }),
    fetch(`${app.url}/changes`, { method: 'POST', body: JSON.stringify({ kind: 'remove', id }) }),
    post('no JSON'),
    post(JSON.stringify({ kind: 'drop', id })),
    post(JSON.stringify({ kind: 'add', id, title: 'a'.repeat(201) })),
    post(JSON.stringify({ kind: 'add', id, title: '\0' })),
    post(JSON.stringify({ kind: 'tick', id: "' OR true", done: true })),
    post(JSON.stringify({ kind: 'remove', id })),
    fetch(`${app.url}/@fs${REPOSITORY}/package.json`),
  ]);

  const told = await Promise.all(answers.map(async (answer) => ({ status: answer.status, hasSecret: /secret/.test(await answer.text()) })));
  const [read] = answers.map(({ headers }) => [...headers.keys()].filter((name) => name.startsWith('access-control')));
  const statuses = [200, 405, 415, 400, 400, 400, 400, 400, 200, 403];
  expect({ told, read }).toEqual({ told: statuses.map((status) => ({ status, hasSecret: false })), read: [] });
});

test('of a database that is lent to it, its own service shows nothing to others, and leaves no slot', async () => {
  const lent = await createDatabase();
  mkdirSync(join(directory, 'lent'));
  const own = await startTodoApp(join(directory, 'lent'), '--database-url', lent.url, '--port', '0');
  const { observerUrl = '' } = own;
  const { origin } = new URL(observerUrl);

  const addresses = [`${own.url}/shapes/todos?offset=-1`, `${origin}/v1/shape?table=todos&offset=-1`, `${origin}/_observer`, observerUrl];
  const statuses = await Promise.all(addresses.map(async (address) => (await fetch(address, { redirect: 'manual' })).status));
  const during = await slotsOf(lent);
  await own.stop();
  const after = await slotsOf(lent);
  await lent.drop();

  expect({ statuses, during, after }).toEqual({ statuses: [200, 401, 401, 303], during: 1, after: 0 });
});

async function slotsOf({ query }: TestDatabase): Promise<number> {
  return (await query('SELECT FROM pg_replication_slots WHERE database = current_database()')).length;
}

/** With the same storage and on the same port, whenever it is started. */
async function startServiceOn(port: string): Promise<ServiceInProcess> {
  return await startServiceInProcess({ databaseUrl: database.url, flags: { port, 'storage-dir': join(directory, 'shapes') } });
}

/** With no cache, and nothing else, of another window. */
async function openWindow(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 700, height: 700 } });
  const page = await context.newPage();
  misdeeds.push(watchMisdeeds(page, app.url));
  await page.goto(app.url);
  return page;
}

async function add(page: Page, title: string): Promise<void> {
  await page.getByLabel('What is to be done?').fill(title);
  await page.getByRole('button', { name: 'Add' }).click();
}

async function shownIn(page: Page): Promise<readonly string[]> {
  return await page.locator('.todos bdi').allTextContents();
}

/** @returns what tells every list that was to be seen since. */
async function everySight(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(`
    window.sights = [];
    const look = () => {
      const sight = [...document.querySelectorAll('.todos bdi')].map((title) => title.textContent).join(', ');
      if (sight !== window.sights.at(-1)) window.sights.push(sight);
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });`);
  return () => page.evaluate<readonly string[]>('window.sights');
}

async function post(body: string): Promise<Response> {
  return await fetch(`${app.url}/changes`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

/** The browser tells of each request that failed, and the page asks again and again. */
function forgiveErrors(): void {
  for (const { errors } of misdeeds) errors.length = 0;
}
