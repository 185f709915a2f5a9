/** The page of `--inspect` in a real browser: nothing is loaded from elsewhere before somebody asks, and then the stream goes there. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startInspectionServer, type InspectionServer } from '../../src/observer/inspection-server.ts';
import type { Pid } from '../../src/otp/process.ts';
import { createRuntime } from '../../src/otp/runtime.ts';
import { handOverTree } from '../support/actors/hand-over-tree.ts';
import { launchBrowser, watchMisdeeds } from '../support/browser/browser.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const OBSERVER = 'http://127.0.0.1:9/_observer';
/** As the inspector does: it says that it is there, and takes what it is given. */
const INSPECTOR = `<title>0</title><script>
  addEventListener('message', ({ data }) => (document.title = data.type));
  parent.postMessage({ type: '@statelyai.connected' }, '*');
</script>`;

const runtime = createRuntime();
let tree: Pid;
let browser: Browser;
let server: InspectionServer;

beforeAll(async () => {
  browser = await launchBrowser();
  tree = await runtime.start(handOverTree(), { id: 'tree' });
  server = await startInspectionServer({ runtime, port: 0, observerUrl: () => OBSERVER });
});

afterAll(async () => {
  await browser.close();
  await server.close();
  await runtime.stop(tree);
});

async function open(colorScheme: 'light' | 'dark'): Promise<Page> {
  const page = await browser.newPage({ colorScheme });
  await page.route('https://stately.ai/**', (route) => route.fulfill({ contentType: 'text/html', body: INSPECTOR }));
  return page;
}

test.each(['light', 'dark'] as const)('it names our observer, loads nothing of others, and can be read, in %s', async (scheme) => {
  const page = await open(scheme);
  const misdeeds = watchMisdeeds(page, server.url);
  await page.goto(server.url);
  const named = await page.locator('a').first().getAttribute('href');
  await page.evaluate(AXE);
  const faults = await page.evaluate<string[]>("axe.run().then(({ violations }) => violations.map(({ id }) => id))");
  await page.close();

  expect({ named, misdeeds, faults }).toEqual({ named: OBSERVER, misdeeds: { elsewhere: [], errors: [] }, faults: [] });
});

test('who asks for the inspector gets it, with the stream', async () => {
  const page = await open('light');
  await page.goto(server.url);

  await page.getByRole('button').click();
  const frame = page.frameLocator('iframe');
  await expect.poll(() => frame.locator('title').textContent()).toMatch(/^@xstate\./);
  const source = await page.locator('iframe').getAttribute('src');
  await page.close();

  expect(source).toBe('https://stately.ai/inspect');
});
