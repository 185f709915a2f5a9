/** `npm run screenshots`: the views of a demo that runs (`npm start`; its address may be given), into docs/screenshots. */
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from '../support/browser/browser.ts';

const folder = new URL('../../docs/screenshots/', import.meta.url);
const [base = 'http://127.0.0.1:3000'] = process.argv.slice(2);

interface Shot {
  readonly name: string;
  readonly path: string;
  /** What is there once the view is. */
  readonly shown: string;
  readonly scheme?: 'dark';
}

const FILTERS = ["status='open'", 'priority < 3', 'project_id IN (SELECT id FROM projects WHERE active)'];
const SHOTS: readonly Shot[] = [
  { name: 'front', path: '/', shown: '.fresh' },
  { name: 'tree', path: '/_observer/tree', shown: 'tbody tr:nth-child(20)' },
  { name: 'process', path: '/_observer/process?pid=%40replication-client', shown: '.state.lit' },
  { name: 'population', path: '/_observer/population?kind=consumer', shown: '.line.taken', scheme: 'dark' },
  { name: 'messages', path: '/_observer/messages', shown: '.message', scheme: 'dark' },
  { name: 'shapes', path: '/_observer/shapes', shown: 'tbody tr' },
  { name: 'postgres', path: '/_observer/postgres', shown: '.cards .card' },
];

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const where of FILTERS) await fetch(`${base}/v1/shape?${new URLSearchParams({ table: 'issues', where, offset: '-1' }).toString()}`);
const browser = await launchBrowser();
const page = await browser.newPage({ viewport: { width: 1200, height: 750 }, reducedMotion: 'reduce' });
for (const { name, path, shown, scheme = 'light' } of SHOTS) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.goto(`${base}${path}`);
  await page.locator(shown).first().waitFor();
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, folder)) });
}
await browser.close();
