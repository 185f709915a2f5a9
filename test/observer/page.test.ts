/** The observer's page and the front page in a real browser, over a running service as the demo starts it. */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { setup } from 'xstate';
import { effects } from '../../src/otp/effects.ts';
import { toldReplay } from '../explore/replay/told-replay.ts';
import { seriousFaults } from '../support/browser/accessibility.ts';
import { launchBrowser, watchMisdeeds, type Misdeeds } from '../support/browser/browser.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

/** As somebody may name a table, and a value, who means harm. */
const HOSTILE = '<img src=x onerror="document.title=1">"\'';
/** Likewise a state, in whose name there may be no dot. */
const MEAN = '<img src=x>';
const HOSTILE_TABLE = `"${HOSTILE.replaceAll('"', '""')}"`;

let browser: Browser;
let database: TestDatabase;
let service: ServiceInProcess;
let hostile: ShapeFollower;
let page: Page;
let misdeeds: Misdeeds;

beforeAll(async () => {
  [browser, database] = await Promise.all([launchBrowser(), createDatabase()]);
  await database.query(`
    CREATE TABLE projects (id integer PRIMARY KEY, active boolean NOT NULL);
    CREATE TABLE issues (id integer PRIMARY KEY, project_id integer, title text, status text);
    CREATE TABLE ${HOSTILE_TABLE} (id integer PRIMARY KEY, note text);
    INSERT INTO projects SELECT n, n % 2 = 0 FROM generate_series(1, 6) AS n;
    INSERT INTO issues SELECT n, 1 + n % 6, 'Issue ' || n, 'open' FROM generate_series(1, 30) AS n`);
  service = await startServiceInProcess({ databaseUrl: database.url, command: 'demo', flags: { observer: true } });
  hostile = new ShapeFollower(service.shapeUrl, { table: HOSTILE_TABLE, where: `note = '${HOSTILE.replaceAll("'", "''")}'` });
  await Promise.all([
    hostile.catchUp(),
    new ShapeFollower(service.shapeUrl, { table: 'issues', where: 'project_id IN (SELECT id FROM projects WHERE active)' }).catchUp(),
    ...Array.from({ length: 24 }, (_, n) => new ShapeFollower(service.shapeUrl, { table: 'issues', where: `id = ${n}` }).catchUp()),
  ]);
});

afterAll(async () => {
  await browser.close();
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  misdeeds = watchMisdeeds(page, service.url);
});

/** Whatever a test looks at: nothing may go elsewhere, and no script may fail. */
afterEach(async () => {
  await page.close();
  expect(misdeeds).toEqual({ elsewhere: [], errors: [] });
});

async function open(path: string): Promise<void> {
  await page.goto(`${service.url}${path}`);
}

/** The browser tells of each request that failed, and the page asks again and again. */
async function forgiveErrors(): Promise<void> {
  await page.close();
  misdeeds.errors.length = 0;
}

async function textOf(selector: string): Promise<string> {
  return (await page.locator(selector).first().textContent()) ?? '';
}

test('the tree shows a process that was ended, and the one that its supervisor started in its place', async () => {
  await open('/_observer');
  const row = page.getByRole('row', { name: /status-monitor/ });
  await row.waitFor();
  const before = await row.getByRole('link').getAttribute('href');

  await row.getByRole('link').click();
  await page.getByRole('button', { name: 'End this process' }).click();
  await page.getByRole('heading', { name: /has ended/ }).waitFor();
  const death = await page.getByRole('article').textContent();
  await page.goBack();

  await expect.poll(() => row.locator('td.number').nth(2).textContent()).toBe('1');
  const seen = { isAnother: (await row.getByRole('link').getAttribute('href')) !== before, isTold: death?.includes('killed') };
  expect(seen).toEqual({ isAnother: true, isTold: true });
});

test('the statechart of a process follows it from state to state', async () => {
  await open('/_observer/process?pid=%40shape-log-collector');
  await page.locator('.state.lit').first().waitFor();

  await database.query(`UPDATE issues SET title = title || '!' WHERE id < 5`);

  await expect.poll(() => page.locator('.line.taken').count()).toBeGreaterThan(0);
  await expect.poll(() => page.locator('.state.lit .name').allTextContents()).toContain('idle'); // It has yet to deliver, perhaps.
});

test('a machine of which no chart is shipped is laid out in the page, by an engine that is loaded for it alone', async () => {
  const lamp = setup({ actions: effects }).createMachine({
    id: 'lamp',
    initial: MEAN,
    states: { [MEAN]: { on: { press: 'lit' } }, lit: { on: { press: MEAN, burn: 'dark' } }, dark: { type: 'final' } },
  });
  const pid = await service.runtime.start({ machine: lamp, name: '@lamp' }, { id: 'lamp' });
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname));

  await open('/_observer/process?pid=%40shape-cache');
  await page.locator('.state.lit').first().waitFor();
  const isLoadedBefore = loaded.includes('/_observer/layout.js');
  await open('/_observer/process?pid=%40lamp');
  await page.locator('.state.lit').first().waitFor();
  service.runtime.send(pid, { type: 'press' });
  await expect.poll(() => page.locator('.state.lit .name').allTextContents()).toContain('lit');

  const seen = { names: await page.locator('.state .name').allTextContents(), images: await page.locator('img').count() };
  await service.runtime.stop(pid);
  expect({ isLoadedBefore, isLoaded: loaded.includes('/_observer/layout.js'), ...seen }).toEqual({
    isLoadedBefore: false,
    isLoaded: true,
    names: expect.arrayContaining([MEAN, 'lit', 'dark']) as unknown,
    images: 0,
  });
});

test('the numbers in the states of a population add up to its processes', async () => {
  await open('/_observer/population?kind=consumer');
  await page.locator('.state.lit').first().waitFor();

  const running = page.locator('g.state', { has: page.locator('text.name', { hasText: /^running / }) });
  const counts = await running.locator('.count').textContent();
  const words = await textOf('main p');

  expect(words.startsWith(`${counts} processes:`)).toBe(true);
});

test('messages of a transaction can be held, listed, and downloaded as a window that the machines do again', async () => {
  await open('/_observer/messages');
  await page.getByText('Nothing was said').or(page.locator('.sequence')).first().waitFor();

  await database.query(`UPDATE issues SET title = title || '?' WHERE id < 5`);
  await page.locator('.message').first().waitFor();
  await page.getByRole('button', { name: /Hold/ }).click();
  await page.getByLabel('As a list').check();
  await page.getByText(/log\.extended/).first().waitFor();
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download this window' }).click();
  const told = await toldReplay(readFileSync(await (await downloading).path(), 'utf8'));

  expect(told).toMatchObject({ code: 0 });
});

test('names, filters and values are text, whatever they hold', async () => {
  await open(`/_observer/shapes`);
  await page.getByText(HOSTILE).first().waitFor();
  await page.getByRole('link', { name: hostile.handle ?? '' }).click();
  await page.getByRole('heading', { name: HOSTILE_TABLE }).waitFor();

  expect({ images: await page.locator('img').count(), title: await page.title() }).toEqual({
    images: 0,
    title: `Shape ${hostile.handle} · Armature`,
  });
});

test('the tree is walked by keys, and a search goes through all processes', async () => {
  await open('/_observer/tree');
  await page.getByRole('row', { name: /^.*storage/ }).first().waitFor();
  const rows = await page.getByRole('row').count();

  await page.locator('tbody tr').first().focus();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => page.getByRole('row').count()).toBe(2);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.getByRole('row').count()).toBe(rows);
  await page.getByRole('searchbox').fill('materializer');
  await page.getByText(/^1 process of/).waitFor();

  expect(page.url()).toContain('search=materializer');
});

test('a page says that what it shows is old when the service does not answer', async () => {
  await open('/_observer/tree');
  await page.getByRole('row', { name: /storage/ }).first().waitFor();

  await page.route('**/_observer/events*', (route) => route.abort());
  await page.getByRole('link', { name: 'Populations' }).click();
  await page.getByText('No connection').waitFor();

  await forgiveErrors();
});

test('explain gives a reason for a row that is there, and for one that is not', async () => {
  const handle = await handleOf('id = 5');
  const verdicts: (string | null)[] = [];
  for (const id of [5, 6]) {
    await open(`/_observer/explain?handle=${handle}&by=pk&row=${encodeURIComponent(JSON.stringify({ id: String(id) }))}`);
    verdicts.push(await page.locator('.verdict code').textContent());
  }

  expect(verdicts).toEqual(['in_shape', 'filtered_out']);
});

test('a page says why its stream is refused', async () => {
  await page.route('**/_observer/events*', (route) => {
    return route.fulfill({ status: 503, json: { code: 'too_many_streams', message: '16 streams are open already.' } });
  });
  await open('/_observer/tree');
  await page.getByText('too_many_streams').waitFor();

  await forgiveErrors();
});

test('a page that nobody sees has no stream, and asks for what it shows when it is seen again', async () => {
  const asked: string[] = [];
  const countOfDeaths = (): number => asked.filter((url) => url.includes('topic=deaths')).length;
  page.on('request', (request) => asked.push(request.url()));
  await open('/_observer/tree');
  await page.getByRole('row', { name: /storage/ }).first().waitFor();

  await turn('hidden');
  await page.getByRole('link', { name: 'Deaths' }).click();
  await page.getByRole('heading', { name: 'Deaths' }).waitFor();
  const whileHidden = countOfDeaths();
  await turn('visible');
  await page.getByText('since the service started').waitFor();

  expect([whileHidden, countOfDeaths()]).toEqual([0, 1]);
});

/** As the browser does when its user goes to another tab and comes back. */
async function turn(state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));`);
}

test('the front page shows the rows of the demo as they change', async () => {
  await open('/');
  await page.getByText(/30 open issues/).waitFor();

  await database.query(`UPDATE issues SET status = 'done' WHERE id = 1`);

  await page.getByText(/29 open issues/).waitFor();
});

test('no view has a fault that keeps somebody from reading it, in light and in dark', async () => {
  const dependent = await handleOf('SELECT');
  const views = [
    '/', '/_observer/tree', '/_observer/tree?sort=handled', '/_observer/process?pid=%40replication-client', '/_observer/populations',
    '/_observer/population?kind=consumer', '/_observer/messages', '/_observer/shapes', `/_observer/shape?handle=${dependent}`,
    '/_observer/explain', '/_observer/postgres', '/_observer/deaths',
  ];

  const faults: string[] = [];
  for (const view of views) faults.push(...(await faultsOf(view)));

  expect(faults).toEqual([]);
});

async function handleOf(search: string): Promise<string> {
  const response = await fetch(`${service.url}/_observer/api/shapes?search=${search}`);
  const { rows } = (await response.json()) as { rows: readonly { handle: string }[] };
  return rows[0]?.handle ?? '';
}

async function faultsOf(path: string): Promise<readonly string[]> {
  await open(path);
  await page.locator('main h1').waitFor();
  await expect.poll(() => page.getByText('Asking the service').count()).toBe(0);
  return await seriousFaults(page, path);
}
