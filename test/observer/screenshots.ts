/** `npm run screenshots`: the views of a demo that runs (`npm start`; its address may be given), into docs/screenshots. */
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { invariant } from '../../src/base/invariant.ts';
import type { ProcessView } from '../../src/observer/views/processes.ts';
import { launchBrowser } from '../support/browser/browser.ts';
import { ObserverClient } from '../support/observer/observer-client.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const folder = new URL('../../docs/screenshots/', import.meta.url);
const [base = 'http://127.0.0.1:3000'] = process.argv.slice(2);

interface Shot {
  readonly name: string;
  /** Found out right before it is opened, where it depends on what the demo has changed. */
  readonly path: string | (() => Promise<string>);
  /** What is there once the view is. */
  readonly shown: string;
  /** Opened, to be seen as well. */
  readonly opened?: string;
  readonly scheme?: 'dark';
}

const DEPENDENT = 'project_id IN (SELECT id FROM projects WHERE active)';
const FILTERS = ["status='open'", 'priority < 3'];

async function shapeOf(table: string, where?: string): Promise<ShapeFollower> {
  const filter = where === undefined ? {} : { where };
  return await new ShapeFollower(`${base}/v1/shape`, { table, ...filter }).catchUp();
}

/** Why a row is in the shape, or is not: of one that is so just now, for the demo turns projects on and off. */
async function explained(isIn: boolean): Promise<string> {
  const [projects, issues] = [await shapeOf('projects', 'active'), await shapeOf('issues')];
  const active = new Set([...projects.rows.values()].map(({ id }) => id));
  const row = [...issues.rows.values()].find(({ project_id: project = null }) => active.has(project) === isIn);
  invariant(row !== undefined, 'the demo has rows of either kind');
  return `/_observer/explain?handle=${handle}&by=pk&row=${encodeURIComponent(JSON.stringify({ id: row['id'] }))}`;
}

for (const where of FILTERS) await shapeOf('issues', where);
const first = await readShape(`${base}/v1/shape`, { table: 'issues', where: DEPENDENT, offset: '-1' });
const handle = first.handle ?? '';
await fetch(`${base}/_observer/api/shapes`); // From now on their rows are counted.

const IN_SHAPE = '.verdict code:text("in_shape")';
const LEFT_OUT = '.verdict code:text-matches("moved_out|filtered_out")';

const SHOTS: readonly Shot[] = [
  { name: 'front', path: '/', shown: '.fresh' },
  { name: 'tree', path: '/_observer/tree', shown: 'tbody tr:nth-child(20)' },
  { name: 'process', path: '/_observer/process?pid=%40replication-client', shown: '.state.lit' },
  { name: 'population', path: '/_observer/population?kind=consumer', shown: '.line.taken', scheme: 'dark' },
  { name: 'messages', path: '/_observer/messages', shown: '.message', scheme: 'dark' },
  { name: 'shapes', path: '/_observer/shapes', shown: 'tbody tr' },
  { name: 'shape', path: `/_observer/shape?handle=${handle}`, shown: '.steps li' },
  { name: 'explain-present', path: () => explained(true), shown: IN_SHAPE },
  { name: 'explain-absent', path: () => explained(false), shown: LEFT_OUT, scheme: 'dark' },
  { name: 'postgres', path: '/_observer/postgres', shown: '.cards .card' },
  { name: 'deaths', path: '/_observer/deaths', shown: 'article', opened: 'article summary' },
];

const EVENTS_BEFORE = 4;

/** A process of the demo is ended, so that there is a death to be seen, with the events before it: it has some every few seconds. */
async function endOne(): Promise<void> {
  const client = new ObserverClient(base);
  await client.until<ProcessView>('process?pid=@checkpointer', ({ events }) => events.length >= EVENTS_BEFORE);
  const { status } = await fetch(`${base}/_observer/api/end?pid=@checkpointer`, {
    method: 'POST',
    headers: { 'x-armature-observer': 'end' },
  });
  invariant(status === 200, `a process of the demo can be ended, and not ${status}`);
}

await endOne();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
/** What the demo has changed meanwhile may be something else than what is to be shown: then it is opened anew. */
async function open(page: Page, path: Shot['path'], shown: string, tries = 10): Promise<void> {
  await page.goto(`${base}${typeof path === 'string' ? path : await path()}`);
  const isShown = await page.locator(shown).first().waitFor({ timeout: 10_000 }).then(() => true, () => false);
  invariant(isShown || tries > 0, `${shown} is shown at last`);
  if (!isShown) await open(page, path, shown, tries - 1);
}

const browser = await launchBrowser();
const page = await browser.newPage({ viewport: { width: 1200, height: 750 }, reducedMotion: 'reduce' });
for (const { name, path, shown, opened, scheme = 'light' } of SHOTS) {
  await page.emulateMedia({ colorScheme: scheme });
  await open(page, path, shown);
  if (opened !== undefined) await page.locator(opened).first().click();
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, folder)) });
}
await browser.close();
