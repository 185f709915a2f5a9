/** Of `npm run screenshots`: two windows of the todo app, one light and one dark, into docs/screenshots. It starts what it needs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from '../support/browser/browser.ts';
import { startTodoApp } from '../support/examples/todo-app.ts';

const file = fileURLToPath(new URL('../../docs/screenshots/todo.png', import.meta.url));
const TITLES = ['Follow a shape of my own database', 'End a process in the observer', 'Read about the two races', 'Start the example'];

const WINDOWS = `
  <style>body { margin: 0; display: flex } iframe { border: 0; flex: 1; height: 100vh }</style>
  <iframe src="/" style="color-scheme: light"></iframe><iframe src="/" style="color-scheme: dark"></iframe>`;

const directory = mkdtempSync(join(tmpdir(), 'armature-todo-'));
const app = await startTodoApp(directory, '--port', '0');
const browser = await launchBrowser();
const page = await browser.newPage({ viewport: { width: 1200, height: 470 }, colorScheme: null, reducedMotion: 'reduce' });
await page.route('**/windows', (route) => route.fulfill({ contentType: 'text/html', body: WINDOWS })); // Of the origin of its frames.
await page.goto(`${app.url}/windows`);
const [left, right] = [page.frameLocator('iframe >> nth=0'), page.frameLocator('iframe >> nth=1')];
for (const title of [...TITLES].reverse()) {
  await left.getByLabel('What is to be done?').fill(title);
  await left.getByRole('button', { name: 'Add' }).click();
  await right.getByText(title).waitFor();
}
await right.getByRole('checkbox', { name: 'Start the example' }).check();
await left.getByText('3 to do, 1 done').waitFor();
await page.mouse.move(0, 0);
await page.screenshot({ path: file });
await browser.close();
await app.stop();
rmSync(directory, { recursive: true, force: true });
